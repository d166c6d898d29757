package image

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// unpack applies the layers, lowest first, to the empty folder dir. Each is
// written to the file spool first: its whiteouts, which hide what layers below
// have, must all be known before its own files are there.
func unpack(ctx context.Context, layers []v1.Layer, contents []v1.Hash, dir, spool string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack image: %w", err)
	}
	defer root.Close()
	t := &tree{root: root, left: MaxUnpacked}
	for i, layer := range layers {
		if err := t.apply(ctx, layer, contents[i], spool); err != nil {
			return err
		}
	}
	return t.finish()
}

func (t *tree) apply(ctx context.Context, layer v1.Layer, content v1.Hash, spool string) (err error) {
	file, err := os.OpenFile(spool, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("unpack image: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(spool)) }()
	if err := fetch(ctx, layer, content, file); err != nil {
		return err
	}
	t.forget()
	for _, step := range []func(*tar.Header, io.Reader) error{t.hide, t.place} {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("unpack image: %w", err)
		}
		if err := each(ctx, file, step); err != nil {
			return err
		}
	}
	return nil
}

// fetch writes a layer's archive, uncompressed, and compares it with what the
// image's configuration says that it is.
func fetch(ctx context.Context, layer v1.Layer, content v1.Hash, to io.Writer) error {
	from, err := layer.Uncompressed()
	if err != nil {
		return broken(ctx, err)
	}
	defer from.Close()
	hash := sha256.New()
	// An archive is larger than its files by less than the limit again.
	n, err := io.Copy(io.MultiWriter(to, hash), io.LimitReader(contextReader{ctx, from}, 2*MaxUnpacked))
	switch {
	case isHostError(err):
		return fmt.Errorf("unpack image: %w", err)
	case err != nil:
		return broken(ctx, err)
	case n == 2*MaxUnpacked:
		return ErrTooLarge
	case content.Algorithm != "sha256" || hex.EncodeToString(hash.Sum(nil)) != content.Hex:
		return fmt.Errorf("%w: a layer isn't what the configuration names", ErrBroken)
	}
	return nil
}

// each calls fn for the entries of an archive. Reading from a file, the tar
// reader skips over contents without looking at them.
func each(ctx context.Context, file *os.File, fn func(*tar.Header, io.Reader) error) error {
	r := tar.NewReader(file)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return broken(ctx, err)
		}
		if err := fn(h, r); err != nil {
			return err
		}
	}
}

// broken blames the image for an error in reading it, unless the reader has
// given up.
func broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("unpack image: %w", ctx.Err())
	}
	return fmt.Errorf("%w: %w", ErrBroken, err)
}

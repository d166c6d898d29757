package diff

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// maxText is the size up to which a file is compared line by line.
const maxText = 256 << 10

// Zips compares two zips file by file: text files by their lines, others by
// their size.
func Zips(function string, before, after []byte) ([]Change, error) {
	b, err := files(before)
	if err != nil {
		return nil, err
	}
	a, err := files(after)
	if err != nil {
		return nil, err
	}
	names := maps.Clone(b)
	maps.Copy(names, a)
	var out []Change
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old, had := b[name]
		now, has := a[name]
		c := Change{Area: Code, Name: function + " " + name, Kind: Changed}
		switch {
		case had && has && bytes.Equal(old, now):
			continue
		case !had:
			c.Kind, c.After = Added, size(now)
		case !has:
			c.Kind, c.Before = Removed, size(old)
		case text(old) && text(now):
			c.Lines = Unified(string(old), string(now))
		default:
			c.Before, c.After = size(old), size(now)
		}
		out = append(out, c)
	}
	return out, nil
}

func size(b []byte) string { return fmt.Sprintf("%d bytes", len(b)) }

func text(b []byte) bool { return len(b) <= maxText && utf8.Valid(b) && !bytes.ContainsRune(b, 0) }

func files(data []byte) (map[string][]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		out[f.Name] = content
	}
	return out, nil
}

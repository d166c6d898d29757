package cli

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/client"
)

// lookEvery is how often butai dev looks at its folder.
const lookEvery = 100 * time.Millisecond

// devCommand keeps a function's code the same as a folder.
func (a *app) devCommand() *cobra.Command {
	once := false
	cmd := &cobra.Command{
		Use:   "dev FUNCTION DIR",
		Short: "Run a function from a folder: save a file, and the next call runs it",
		Long: `Run a function from a folder until interrupted: whenever a file in it is saved,
the function gets the folder's files as its code. The function must exist; its
settings and its published versions stay as they are.

Hidden files and folders, __pycache__ and links are left out. The server and
credentials are those of the AWS tools: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_REGION.`,
		Example: "  butai dev my-function ./src",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d := &devLink{app: a, client: newClient(), function: args[0], dir: args[1]}
			if once {
				return d.sync(cmd.Context())
			}
			return d.follow(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "bring the function up to the folder once, and end")
	return cmd
}

// devLink is a function and the folder that its code comes from.
type devLink struct {
	*app
	client   *client.Client
	function string
	dir      string
	seen     map[string]stamp // by path, as of the last upload
}

// stamp tells whether a file has been written to.
type stamp struct {
	size     int64
	modified time.Time
	mode     fs.FileMode
}

// follow uploads the folder now and whenever it changes, until ctx ends.
// Failures are printed: the next save may mend them.
func (d *devLink) follow(ctx context.Context) error {
	if err := d.sync(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := d.sync(ctx); err != nil && ctx.Err() == nil {
			fmt.Fprintln(d.err, "butai:", err)
		}
	}
}

// sync uploads the folder if it has changed.
func (d *devLink) sync(ctx context.Context) error {
	now, err := d.look()
	if err != nil {
		return err
	}
	if !differ(d.seen, now) {
		return nil
	}
	d.seen = now // a folder that is refused isn't sent again before it changes
	archive, err := d.archive()
	if err != nil {
		return err
	}
	in := &lambdaapi.UpdateFunctionCodeRequest{FunctionName: &d.function, ZipFile: archive}
	var out lambdaapi.FunctionConfiguration
	if err := d.client.Call(ctx, &lambdaapi.Service, "UpdateFunctionCode", in, &out); err != nil {
		return fmt.Errorf("update the code of %s: %w", d.function, err)
	}
	d.tell(ctx)
	fmt.Fprintf(d.out, "%s runs %s: %d files, CodeSha256 %s\n", d.function, d.dir, len(now), wire.Val(out.CodeSha256))
	return nil
}

// tell lets the server know where the code is from, for debuggers' sake. AWS
// doesn't want to know, nor do servers on other machines.
func (d *devLink) tell(ctx context.Context) {
	dir, err := filepath.Abs(d.dir)
	if err == nil {
		_ = d.client.Put(ctx, debugPage(url.Values{"function": {d.function}, "dir": {dir}}), &struct{}{})
	}
}

func differ(a, b map[string]stamp) bool {
	if len(a) != len(b) || a == nil {
		return true
	}
	for path, s := range b {
		if a[path] != s {
			return true
		}
	}
	return false
}

// files calls fn for each file that belongs to the code; path is below dir.
func (d *devLink) files(fn func(path string, info fs.FileInfo) error) error {
	return filepath.WalkDir(d.dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != d.dir {
			return nil // an editor's own file, gone already
		}
		if err != nil {
			return err
		}
		skip := path != d.dir && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "__pycache__")
		switch {
		case skip && entry.IsDir():
			return fs.SkipDir
		case skip || !entry.Type().IsRegular():
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		below, err := filepath.Rel(d.dir, path)
		if err != nil {
			return err
		}
		return fn(below, info)
	})
}

func (d *devLink) look() (map[string]stamp, error) {
	now := map[string]stamp{}
	err := d.files(func(path string, info fs.FileInfo) error {
		now[path] = stamp{info.Size(), info.ModTime(), info.Mode()}
		return nil
	})
	if err == nil && len(now) == 0 {
		err = fmt.Errorf("there are no files in %s", d.dir)
	}
	return now, err
}

// archive packs the folder. It isn't compressed: it goes to this machine.
func (d *devLink) archive() ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	err := d.files(func(path string, info fs.FileInfo) error {
		h := &zip.FileHeader{Name: filepath.ToSlash(path), Method: zip.Store}
		h.SetMode(info.Mode().Perm() | 0o444) // functions run as somebody else
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		f, err := os.Open(filepath.Join(d.dir, path))
		if err != nil {
			return err
		}
		_, err = io.Copy(w, f)
		return errors.Join(err, f.Close())
	})
	if err := errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

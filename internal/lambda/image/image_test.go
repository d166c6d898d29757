package image_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/butai-dev/butai/internal/lambda/image"
)

// entry is one entry of a layer.
type entry struct {
	name, text string // content, or a link's target
	kind       byte
	mode       int64
}

func file(name, text string) entry   { return entry{name, text, tar.TypeReg, 0o644} }
func folder(name string) entry       { return entry{name, "", tar.TypeDir, 0o755} }
func link(name, target string) entry { return entry{name, target, tar.TypeSymlink, 0o777} }
func hard(name, target string) entry { return entry{name, target, tar.TypeLink, 0o644} }

func layer(t testing.TB, entries ...entry) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: e.mode}
		if e.kind == tar.TypeReg {
			h.Size = int64(len(e.text))
		} else {
			h.Linkname = e.text
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if e.kind == tar.TypeReg {
			if _, err := io.WriteString(w, e.text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// build makes an image of layers, lowest first.
func build(t testing.TB, layers ...v1.Layer) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err == nil {
		img, err = mutate.Config(img, v1.Config{Entrypoint: []string{"/app"}, Cmd: []string{"x"}, Env: []string{"A=b"}, WorkingDir: "/w", User: "nobody"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func open(t testing.TB) (*image.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := image.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

// files lists a folder: what it holds by path, with "/" after folders, and
// what links say behind " -> ".
func files(t testing.TB, root string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		at := strings.TrimPrefix(path, root+"/")
		switch first, _, _ := strings.Cut(at, "/"); first {
		case "dev", "proc", "tmp", "etc": // mount points
			return nil
		}
		switch d.Type() {
		case fs.ModeDir:
			out = append(out, at+"/")
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			out = append(out, at+" -> "+target)
			return err
		default:
			text, err := os.ReadFile(path)
			out = append(out, at+"="+string(text))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func TestLayersLieOverEachOther(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		layers [][]entry
		want   string
	}{
		"later files win":             {[][]entry{{file("a", "1"), file("b", "1")}, {file("a", "2")}}, "a=2 b=1"},
		"a whiteout hides":            {[][]entry{{file("d/a", "1"), file("d/b", "1")}, {file("d/.wh.a", "")}}, "d/ d/b=1"},
		"a whiteout hides a folder":   {[][]entry{{file("d/e/a", "1")}, {file(".wh.d", "")}}, ""},
		"only what is below":          {[][]entry{{file("a", "1")}, {file("a", "2"), file(".wh.a", "")}}, "a=2"},
		"an opaque folder":            {[][]entry{{file("d/a", "1"), file("d/e/b", "1")}, {file("d/c", "2"), file("d/.wh..wh..opq", "")}}, "d/ d/c=2"},
		"a whiteout of nothing there": {[][]entry{{file("x/.wh.y", "")}}, ""},
		"a folder becomes a file":     {[][]entry{{file("d/a", "1")}, {file("d", "2")}}, "d=2"},
		"a file becomes a folder":     {[][]entry{{file("d", "1")}, {folder("d"), file("d/a", "2")}}, "d/ d/a=2"},
		"a link becomes a folder":     {[][]entry{{folder("e"), link("d", "e")}, {folder("d"), file("d/a", "2")}}, "d/ d/a=2 e/"},
		"through a relative link":     {[][]entry{{folder("usr/lib"), link("lib", "usr/lib")}, {file("lib/a", "2")}}, "lib -> usr/lib usr/ usr/lib/ usr/lib/a=2"},
		"through an absolute link":    {[][]entry{{folder("usr/lib"), link("lib", "/usr/lib")}, {file("lib/a", "2")}}, "lib -> /usr/lib usr/ usr/lib/ usr/lib/a=2"},
		"a link is replaced":          {[][]entry{{file("a", "1"), link("l", "a")}, {file("l", "2")}}, "a=1 l=2"},
		"a hard link":                 {[][]entry{{file("d/a", "1")}, {hard("b", "d/a")}}, "b=1 d/ d/a=1"},
		"whiteout through a link":     {[][]entry{{file("usr/a", "1"), link("u", "/usr")}, {file("u/.wh.a", "")}}, "u -> /usr usr/"},
		"absolute and odd names":      {[][]entry{{file("/a", "1"), file("./b", "1"), file("c//d/../e", "1")}}, "a=1 b=1 c/ c/e=1"},
		"devices and pipes":           {[][]entry{{{"null", "", tar.TypeChar, 0o666}, {"sda", "", tar.TypeBlock, 0o666}, {"p", "", tar.TypeFifo, 0o666}, file("a", "1")}}, "a=1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t)
			var layers []v1.Layer
			for _, entries := range tt.layers {
				layers = append(layers, layer(t, entries...))
			}
			img, err := s.Add(t.Context(), build(t, layers...))
			if err != nil {
				t.Fatal(err)
			}
			if got := files(t, img.Root); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestHostileLayers unpacks what tries to get out. Names and links lead inside
// of the image, as they do for a process in it.
func TestHostileLayers(t *testing.T) {
	t.Parallel()
	s, dir := open(t)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("untouched"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Dir(victim)
	tests := map[string]struct {
		entries []entry
		broken  bool
	}{
		"parent":                      {[]entry{file("../../../evil", "x")}, false},
		"absolute":                    {[]entry{file(victim, "x")}, false},
		"through an absolute link":    {[]entry{link("l", out), file("l/victim", "x")}, false},
		"through a parent link":       {[]entry{link("l", "../../../../../../.."), file("l"+victim, "x")}, false},
		"link over link":              {[]entry{link("a", out), link("b", "a"), file("b/victim", "x")}, false},
		"whiteout outside":            {[]entry{link("l", out), file("l/.wh.victim", "")}, false},
		"opaque outside":              {[]entry{link("l", out), file("l/.wh..wh..opq", "")}, false},
		"whiteout of the parent":      {[]entry{file(".wh...", "")}, true},
		"whiteout of the folder":      {[]entry{file("d/.wh..", "")}, true},
		"hard link outside":           {[]entry{hard("h", victim)}, true},
		"hard link to the root":       {[]entry{hard("h", "/")}, true},
		"hard link to a folder":       {[]entry{folder("d"), hard("h", "d")}, true},
		"hard link through a link":    {[]entry{link("l", out), hard("h", "l/victim")}, true},
		"hard link over a symlink":    {[]entry{link("l", victim), hard("h", "l"), file("h", "x")}, false},
		"links in a ring":             {[]entry{link("a", "b"), link("b", "a"), file("a/c", "x")}, true},
		"through a file":              {[]entry{file("a", "x"), file("a/b", "x")}, true},
		"a name too long":             {[]entry{file(strings.Repeat("n", 300), "x")}, true},
		"mount points that lead out":  {[]entry{link("etc", out), link("dev", out), link("proc", out), link("tmp", out)}, false},
		"mounted files that lead out": {[]entry{link("etc/resolv.conf", victim), folder("etc/hosts")}, false},
		"unknown type":                {[]entry{{"x", "", 'Z', 0o644}}, true},
	}
	for name, tt := range tests {
		img, err := s.Add(t.Context(), build(t, layer(t, tt.entries...)))
		switch {
		case tt.broken && !errors.Is(err, image.ErrBroken), !tt.broken && err != nil:
			t.Errorf("%s: %v", name, err)
		case err == nil:
			for _, point := range []string{"dev", "proc", "tmp", "etc", "etc/hosts", "etc/resolv.conf"} {
				if info, err := os.Lstat(filepath.Join(img.Root, point)); err != nil || !info.IsDir() && !info.Mode().IsRegular() {
					t.Errorf("%s: mount point %s: %v", name, point, err)
				}
			}
		}
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "untouched" {
		t.Errorf("a layer changed a file outside: %q, %v", text, err)
	}
	if found, _ := os.ReadDir(out); len(found) != 1 {
		t.Errorf("a layer wrote outside: %v", found)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*")); len(left) > 0 {
		t.Errorf("layers left %v", left)
	}
}

func TestSetuidIsTaken(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	img, err := s.Add(t.Context(), build(t, layer(t, entry{"su", "x", tar.TypeReg, 0o4755}, entry{"closed", "", tar.TypeDir, 0o055})))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"su": 0o755, "closed": fs.ModeDir | 0o755} {
		if info, err := os.Stat(filepath.Join(img.Root, name)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestSettingsAndSweep(t *testing.T) {
	t.Parallel()
	s, dir := open(t)
	one, err := s.Add(t.Context(), build(t, layer(t, file("a", "1"))))
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Add(t.Context(), build(t, layer(t, file("a", "2"))))
	if err != nil {
		t.Fatal(err)
	}
	if s, err = image.Open(dir); err != nil { // of another process
		t.Fatal(err)
	}
	if err := s.Sweep(map[string]bool{one.Digest: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(two.Digest); !errors.Is(err, image.ErrNotFound) {
		t.Errorf("swept image: %v", err)
	}
	if _, err := os.Stat(two.Root); err == nil {
		t.Error("a swept image is still there")
	}
	got, err := s.Get(one.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if got.Entrypoint[0] != "/app" || got.Command[0] != "x" || got.Env[0] != "A=b" || got.Dir != "/w" || got.Root != one.Root {
		t.Errorf("got %+v", got)
	}
	if _, err := s.Get("../" + one.Digest); !errors.Is(err, image.ErrNotFound) {
		t.Errorf("a digest that is a path: %v", err)
	}
}

// lying is an image whose configuration names other layers than it has.
type lying struct {
	v1.Image
	other v1.Image
}

func (l lying) Layers() ([]v1.Layer, error) { return l.other.Layers() }

func TestUnusableImages(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	good := build(t, layer(t, file("a", "1")))
	zstd := build(t, static.NewLayer([]byte("x"), types.OCILayerZStd))
	for name, tt := range map[string]struct {
		img  v1.Image
		want error
	}{
		"another layer":       {lying{good, build(t, layer(t, file("a", "2")))}, image.ErrBroken},
		"another compression": {zstd, image.ErrUnsupported},
		"not an archive":      {build(t, static.NewLayer([]byte("no tar"), types.OCIUncompressedLayer)), image.ErrBroken},
		"no configuration":    {mutate.ConfigMediaType(good, "application/vnd.example+json"), image.ErrUnsupported},
	} {
		if _, err := s.Add(t.Context(), tt.img); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for uri, resolved := range map[string]string{
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:v1":          "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app@sha256:d",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/app@" + digest:        "123456789012.dkr.ecr.us-east-1.amazonaws.com/app@sha256:d",
		"123456789012.dkr.ecr.us-east-1.localhost:4566/app:v1":              "123456789012.dkr.ecr.us-east-1.localhost:4566/app@sha256:d",
		"127.0.0.1:5000/app:v1":                                             "127.0.0.1:5000/app@sha256:d",
		"localhost:5000/app:v1":                                             "localhost:5000/app@sha256:d",
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app:v1@" + digest: "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app@sha256:d",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/app":                  "",
		"app:v1":                         "",
		"public.ecr.aws/lambda/python:3": "",
		"registry.example:5000/app:v1":   "",
		"169.254.169.254/app:v1":         "",
		"evil.com/123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1": "",
		"https://127.0.0.1:5000/app:v1":                                "",
		"":                                                             "",
	} {
		at, err := image.ParseAddress(uri, "127.0.0.1:4566")
		switch {
		case resolved == "" && !errors.Is(err, image.ErrAddress):
			t.Errorf("%s: %v", uri, err)
		case resolved != "" && err != nil:
			t.Errorf("%s: %v", uri, err)
		case resolved != "":
			if got := at.Resolved("d"); got != resolved {
				t.Errorf("%s is %s, want %s", uri, got, resolved)
			}
		}
	}
}

// find looks an ECR address up in a source.
func find(t *testing.T, source image.Source, tail string) (v1.Image, error) {
	t.Helper()
	at, err := image.ParseAddress("123456789012.dkr.ecr.us-east-1.amazonaws.com/"+tail, "")
	if err != nil {
		t.Fatal(err)
	}
	f := &image.Finder{Sources: []image.Source{source}, Log: slog.New(slog.DiscardHandler)}
	return f.Find(t.Context(), at)
}

func digestOf(t *testing.T, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func TestSources(t *testing.T) {
	t.Parallel()
	one, two := build(t, layer(t, file("a", "1"))), build(t, layer(t, file("a", "2")))
	dir := t.TempDir()
	tagged, err := layout.Write(filepath.Join(dir, "tagged"), empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	for tag, img := range map[string]v1.Image{"v1": one, "example/tagged:v2": two} {
		if err := tagged.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag})); err != nil {
			t.Fatal(err)
		}
	}
	alone, err := layout.Write(filepath.Join(dir, "team", "alone"), empty.Index)
	if err == nil {
		err = alone.AppendImage(one)
	}
	if err != nil {
		t.Fatal(err)
	}
	saved, err := name.NewTag("saved:v1")
	if err == nil {
		err = tarball.WriteToFile(filepath.Join(dir, "saved.tar"), saved, one)
	}
	if err != nil {
		t.Fatal(err)
	}
	hub := httptest.NewServer(registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo))))
	t.Cleanup(hub.Close)
	host, err := url.Parse(hub.URL)
	if err != nil {
		t.Fatal(err)
	}
	push := func(tag string, put func(name.Reference) error) {
		ref, err := name.ParseReference(host.Host + "/" + tag)
		if err == nil {
			err = put(ref)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	push("team/app:v1", func(ref name.Reference) error { return remote.Write(ref, one) })
	push("team/app:many", func(ref name.Reference) error {
		return remote.WriteIndex(ref, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: one}, mutate.IndexAddendum{Add: two}))
	})
	closed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(closed.Close)
	guarded, err := url.Parse(closed.URL)
	if err != nil {
		t.Fatal(err)
	}

	folder, far := image.Folder(dir), image.Registry{URL: host}
	for _, tt := range []struct {
		source image.Source
		tail   string
		want   v1.Image
		err    error
	}{
		{folder, "tagged:v1", one, nil},
		{folder, "tagged:v2", two, nil},
		{folder, "tagged:v3", nil, image.ErrNotFound},
		{folder, "tagged@" + digestOf(t, two), two, nil},
		{folder, "tagged@sha256:" + strings.Repeat("0", 64), nil, image.ErrNotFound},
		{folder, "team/alone:anything", one, nil},
		{folder, "saved:v1", one, nil},
		{folder, "saved:v2", nil, image.ErrNotFound},
		{folder, "missing:v1", nil, image.ErrNotFound},
		{folder, "../" + filepath.Base(dir) + "/tagged:v1", nil, image.ErrNotFound},
		{far, "team/app:v1", one, nil},
		{far, "team/app@" + digestOf(t, one), one, nil},
		{far, "team/app:v2", nil, image.ErrNotFound},
		{far, "other:v1", nil, image.ErrNotFound},
		{far, "team/app:many", nil, image.ErrUnsupported},
		{image.Registry{URL: guarded}, "team/app:v1", nil, image.ErrDenied},
		{image.Registry{URL: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}}, "team/app:v1", nil, image.ErrNotFound},
	} {
		img, err := find(t, tt.source, tt.tail)
		if !errors.Is(err, tt.err) || err == nil && tt.want == nil {
			t.Errorf("%s in %v: %v", tt.tail, tt.source, err)
			continue
		}
		if tt.want != nil && tt.tail != "saved:v1" && digestOf(t, img) != digestOf(t, tt.want) {
			t.Errorf("%s in %v is another image", tt.tail, tt.source)
		}
		if tt.want != nil {
			s, _ := open(t)
			if kept, err := s.Add(t.Context(), img); err != nil || !strings.HasPrefix(files(t, kept.Root), "a=") {
				t.Errorf("%s in %v: %v", tt.tail, tt.source, err)
			}
		}
	}
}

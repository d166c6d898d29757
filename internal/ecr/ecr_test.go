package ecr_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/ecr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
)

// house is ECR with its registry on a real listener.
type house struct {
	*ecr.Service
	t     *testing.T
	store store.Store
	clock *clock.Fake
	dir   string
	host  string
	// denied is the action that IAM refuses.
	denied string
}

// Authorize implements ecr.Authorizer.
func (h *house) Authorize(_ context.Context, _ *wire.Caller, target wire.IAMTarget) string {
	if target.Action == h.denied {
		return "no " + target.Action + " on " + target.Resource
	}
	return ""
}

func newHouse(t *testing.T) *house {
	t.Helper()
	s, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	h := &house{t: t, store: s, clock: clock.NewFake(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)), dir: t.TempDir()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ecr.IsRegistry(r) {
			t.Errorf("%s %s isn't for the registry", r.Method, r.URL)
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	h.host = strings.TrimPrefix(server.URL, "http://")
	h.restart()
	t.Cleanup(func() { must(t, h.Close(context.Background())) })
	return h
}

func (h *house) restart() {
	h.t.Helper()
	var err error
	if h.Service != nil {
		must(h.t, h.Close(h.t.Context()))
	}
	h.Service, err = ecr.New(h.t.Context(), ecr.Config{
		Store: h.store, Clock: h.clock, Log: slog.New(slog.DiscardHandler), Authorizer: h, Dir: h.dir, Host: h.host,
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func as(t *testing.T, id string) context.Context {
	return wire.WithCaller(t.Context(), &wire.Caller{Account: id, Region: region, ARN: "arn:aws:iam::" + id + ":root"})
}

func (h *house) create(change func(*ecrapi.CreateRepositoryRequest)) *ecrapi.Repository {
	h.t.Helper()
	in := &ecrapi.CreateRepositoryRequest{RepositoryName: wire.Ptr("team/app")}
	if change != nil {
		change(in)
	}
	out, err := h.CreateRepository(as(h.t, account), in)
	if err != nil {
		h.t.Fatal(err)
	}
	return out.Repository
}

func (h *house) login(id string) remote.Option {
	h.t.Helper()
	out, err := h.GetAuthorizationToken(as(h.t, id), &ecrapi.GetAuthorizationTokenRequest{})
	if err != nil {
		h.t.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(*out.AuthorizationData[0].AuthorizationToken)
	if err != nil {
		h.t.Fatal(err)
	}
	user, password, _ := strings.Cut(string(text), ":")
	return remote.WithAuth(&authn.Basic{Username: user, Password: password})
}

func (h *house) ref(tail string) name.Reference {
	h.t.Helper()
	return h.at(account + "/" + region + "/" + tail)
}

func (h *house) at(path string) name.Reference {
	h.t.Helper()
	ref, err := name.ParseReference(h.host + "/" + path)
	if err != nil {
		h.t.Fatal(err)
	}
	return ref
}

func someImage(t *testing.T) v1.Image {
	t.Helper()
	img, err := random.Image(1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func (h *house) images() []ecrapi.ImageDetail {
	h.t.Helper()
	out, err := h.DescribeImages(as(h.t, account), &ecrapi.DescribeImagesRequest{RepositoryName: wire.Ptr("team/app")})
	must(h.t, err)
	return out.ImageDetails
}

func TestPushAndPull(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.create(nil)
	if want := h.host + "/" + account + "/" + region + "/team/app"; *made.RepositoryUri != want || *made.RepositoryArn != "arn:aws:ecr:eu-west-1:123456789012:repository/team/app" {
		t.Errorf("created %s, %s", *made.RepositoryUri, *made.RepositoryArn)
	}
	auth, one, two := h.login(account), someImage(t), someImage(t)
	must(t, remote.Write(h.ref("team/app:v1"), one, auth))
	must(t, remote.Write(h.ref("team/app:latest"), one, auth))
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: one}, mutate.IndexAddendum{Add: two})
	must(t, remote.WriteIndex(h.ref("team/app:both"), index, auth))
	h.restart()
	got, err := remote.Image(h.ref("team/app:v1"), auth)
	must(t, err)
	must(t, validate.Image(got))
	both, err := remote.Index(h.ref("team/app:both"), auth)
	must(t, err)
	must(t, validate.Index(both))
	list, err := remote.List(h.ref("team/app:x").Context(), auth)
	if err != nil || fmt.Sprint(list) != "[both latest v1]" {
		t.Errorf("tags %v, %v", list, err)
	}
	digest, err := one.Digest()
	must(t, err)
	details := h.images()
	if len(details) != 3 {
		t.Fatalf("%d images", len(details))
	}
	for _, d := range details {
		if *d.ImageDigest == digest.String() && (fmt.Sprint(d.ImageTags) != "[latest v1]" || d.LastRecordedPullTime == nil || *d.ImageSizeInBytes < 2000) {
			t.Errorf("described as %+v", d)
		}
	}
	pulled, isIndex, err := h.Pull(as(t, account), account, region, "team/app", digest.String())
	if err != nil || isIndex {
		t.Fatal(isIndex, err)
	}
	must(t, validate.Image(pulled))
	if _, isIndex, err := h.Pull(as(t, account), account, region, "team/app", "both"); err != nil || !isIndex {
		t.Errorf("an index: %v, %v", isIndex, err)
	}
}

func TestImmutableTags(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(func(in *ecrapi.CreateRepositoryRequest) {
		in.ImageTagMutability = wire.Ptr("IMMUTABLE_WITH_EXCLUSION")
		in.ImageTagMutabilityExclusionFilters = []ecrapi.ImageTagMutabilityExclusionFilter{{FilterType: wire.Ptr("WILDCARD"), Filter: wire.Ptr("dev-*")}}
	})
	auth, one, two := h.login(account), someImage(t), someImage(t)
	for _, tag := range []string{"v1", "dev-1"} {
		must(t, remote.Write(h.ref("team/app:"+tag), one, auth))
		must(t, remote.Write(h.ref("team/app:"+tag), one, auth)) // nothing changes
	}
	wantError(t, remote.Write(h.ref("team/app:v1"), two, auth), "TAG_INVALID: The image tag 'v1' already exists in the 'team/app' repository and cannot be overwritten because the tag is immutable.")
	must(t, remote.Write(h.ref("team/app:dev-1"), two, auth))
	_, err := h.PutImageTagMutability(as(t, account), &ecrapi.PutImageTagMutabilityRequest{RepositoryName: wire.Ptr("team/app"), ImageTagMutability: wire.Ptr("MUTABLE")})
	must(t, err)
	must(t, remote.Write(h.ref("team/app:v1"), two, auth))
}

func TestTokens(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(nil)
	auth := h.login(account)
	must(t, remote.Write(h.ref("team/app:v1"), someImage(t), auth))
	h.restart()
	_, err := remote.Head(h.ref("team/app:v1"), auth)
	must(t, err) // tokens outlive the server
	for text, wrong := range map[string]authn.Authenticator{
		"no basic auth credentials": authn.Anonymous,
		"invalid or has expired":    &authn.Basic{Username: "AWS", Password: "eyJBY2NvdW50IjoiMTIzNDU2Nzg5MDEyIn0.AAAA"},
		"or has expired":            &authn.Basic{Username: "root", Password: "secret"},
	} {
		_, err := remote.Get(h.ref("team/app:v1"), remote.WithAuth(wrong))
		wantError(t, err, text)
	}
	h.denied = "ecr:PutImage"
	wantError(t, remote.Write(h.ref("team/app:v2"), someImage(t), auth), "DENIED: no ecr:PutImage on arn:aws:ecr:eu-west-1:123456789012:repository/team/app")
	h.denied = ""
	other := h.login("999999999999")
	_, err = remote.Get(h.ref("team/app:v1"), other)
	wantError(t, err, "no resource-based policy allows it")
	_, err = h.SetRepositoryPolicy(as(t, account), &ecrapi.SetRepositoryPolicyRequest{RepositoryName: wire.Ptr("team/app"), PolicyText: wire.Ptr(
		`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "ecr:BatchGetImage"}}`)})
	must(t, err)
	_, err = remote.Get(h.ref("team/app:v1"), other)
	must(t, err)
	if target, open, err := h.PullTarget(as(t, "999999999999"), account, region, "team/app"); err != nil || !open || !strings.Contains(target.Policy, `"Resource":"*"`) {
		t.Errorf("target %+v, %v, %v", target, open, err)
	}
	h.clock.Advance(13 * time.Hour)
	_, err = remote.Get(h.ref("team/app:v1"), auth)
	wantError(t, err, "invalid or has expired")
}

// TestRegistryRefuses sends what no good client does.
func TestRegistryRefuses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(nil)
	out, err := h.GetAuthorizationToken(as(t, account), &ecrapi.GetAuthorizationTokenRequest{})
	must(t, err)
	do := func(method, path, body string, header ...string) *http.Response {
		t.Helper()
		if strings.HasPrefix(path, "/blobs") || strings.HasPrefix(path, "/manifests") {
			path = "/v2/" + account + "/" + region + "/team/app" + path
		}
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+h.host+path, strings.NewReader(body))
		must(t, err)
		req.Header.Set("Authorization", "Basic "+*out.AuthorizationData[0].AuthorizationToken)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		t.Cleanup(func() { res.Body.Close() })
		return res
	}
	const zeros = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	manifest := `{"schemaVersion": 2, "config": {"digest": "` + zeros + `", "size": 1}, "layers": []}`
	const docker = "application/vnd.docker.distribution.manifest.v2+json"
	for _, tt := range []struct {
		method, path, body, mediaType string
		status                        int
		code                          string
	}{
		{"GET", "/blobs/" + zeros, "", "", 404, "BLOB_UNKNOWN"},
		{"GET", "/blobs/sha256:..%2f..%2f..%2fetc", "", "", 404, "NAME_UNKNOWN"},
		{"GET", "/blobs/md5:00", "", "", 400, "DIGEST_INVALID"},
		{"PATCH", "/blobs/uploads/none", "x", "", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"PUT", "/blobs/uploads/none?digest=" + zeros, "x", "", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"POST", "/blobs/uploads/?digest=" + zeros, "x", "", 400, "DIGEST_INVALID"},
		{"PUT", "/manifests/v1", "no json", docker, 400, "MANIFEST_INVALID"},
		{"PUT", "/manifests/v1", manifest, "text/plain", 400, "MANIFEST_INVALID"},
		{"PUT", "/manifests/v1", manifest, docker, 400, "MANIFEST_BLOB_UNKNOWN"},
		{"PUT", "/manifests/" + zeros, manifest, docker, 400, "DIGEST_INVALID"},
		{"PUT", "/manifests/-v1", manifest, docker, 400, "TAG_INVALID"},
		{"PUT", "/manifests/v1", manifest + strings.Repeat(" ", 4<<20), docker, 413, "MANIFEST_INVALID"},
		{"GET", "/manifests/v1", "", "", 404, "MANIFEST_UNKNOWN"},
		{"DELETE", "/manifests/v1", "", "", 405, "UNSUPPORTED"},
		{"GET", "/v2/" + account + "/" + region + "/none/manifests/v1", "", "", 404, "NAME_UNKNOWN"},
		{"POST", "/v2/" + account + "/" + region + "/none/blobs/uploads/", "", "", 404, "NAME_UNKNOWN"},
		{"GET", "/v2/" + account + "/" + region + "/team/app", "", "", 404, "NAME_UNKNOWN"},
	} {
		res := do(tt.method, tt.path, tt.body, "Content-Type", tt.mediaType)
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != tt.status || !strings.Contains(string(text), `"code":"`+tt.code+`"`) {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.path, res.StatusCode, text, tt.status, tt.code)
		}
	}
	// An upload in parts, one of which comes out of order.
	begun := do("POST", "/blobs/uploads/", "")
	at := begun.Header.Get("Location")
	if res := do("PATCH", at, "ab", "Content-Range", "0-1"); res.StatusCode != 202 || res.Header.Get("Range") != "0-1" {
		t.Errorf("a part: %d, range %s", res.StatusCode, res.Header.Get("Range"))
	}
	if res := do("PATCH", at, "x", "Content-Range", "5-5"); res.StatusCode != 416 {
		t.Errorf("a part out of order: %d", res.StatusCode)
	}
	if res := do("GET", at, ""); res.StatusCode != 204 || res.Header.Get("Range") != "0-1" {
		t.Errorf("asking: %d, range %s", res.StatusCode, res.Header.Get("Range"))
	}
	const abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if res := do("PUT", at+"?digest="+abc, "c"); res.StatusCode != 201 {
		t.Errorf("the end: %d", res.StatusCode)
	}
	res := do("GET", "/blobs/"+abc, "")
	if text, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(text, []byte("abc")) {
		t.Errorf("the layer is %q, %v", text, err)
	}
	if left, _ := os.ReadDir(filepath.Join(h.dir, "uploads")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestDeletedImagesGo deletes images, after which nothing of them is left but
// what others need.
func TestDeletedImagesGo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(nil)
	auth, base := h.login(account), someImage(t)
	extra, err := random.Layer(500, "application/vnd.docker.image.rootfs.diff.tar.gzip")
	must(t, err)
	more, err := mutate.AppendLayers(base, extra)
	must(t, err)
	must(t, remote.Write(h.ref("team/app:base"), base, auth))
	must(t, remote.Write(h.ref("team/app:more"), more, auth))
	must(t, remote.Tag(h.ref("team/app:also").(name.Tag), more, auth))
	_, err = h.DeleteRepository(as(t, account), &ecrapi.DeleteRepositoryRequest{RepositoryName: wire.Ptr("team/app")})
	wantError(t, err, "The repository with name 'team/app' in registry with id '123456789012' cannot be deleted because it still contains images")
	remove := func(ids ...ecrapi.ImageIdentifier) *ecrapi.BatchDeleteImageResponse {
		t.Helper()
		out, err := h.BatchDeleteImage(as(t, account), &ecrapi.BatchDeleteImageRequest{RepositoryName: wire.Ptr("team/app"), ImageIds: ids})
		must(t, err)
		return out
	}
	if out := remove(ecrapi.ImageIdentifier{ImageTag: wire.Ptr("more")}); len(out.ImageIds) != 1 || len(h.images()) != 2 {
		t.Errorf("one tag of two: %+v, %d images", out, len(h.images()))
	}
	if out := remove(ecrapi.ImageIdentifier{ImageTag: wire.Ptr("also")}, ecrapi.ImageIdentifier{ImageTag: wire.Ptr("none")}, ecrapi.ImageIdentifier{}); len(out.ImageIds) != 1 || len(out.Failures) != 2 || *out.Failures[0].FailureCode != "ImageNotFound" || *out.Failures[1].FailureCode != "MissingDigestAndTag" {
		t.Errorf("the last tag: %+v", out)
	}
	h.restart()
	got, err := remote.Image(h.ref("team/app:base"), auth)
	must(t, err)
	must(t, validate.Image(got))
	if files, _ := os.ReadDir(filepath.Join(h.dir, "blobs")); len(files) != 3 {
		t.Errorf("%d files are left, want two layers and a configuration", len(files))
	}
	_, err = h.DeleteRepository(as(t, account), &ecrapi.DeleteRepositoryRequest{RepositoryName: wire.Ptr("team/app"), Force: wire.Ptr(true)})
	must(t, err)
	h.restart()
	if files, _ := os.ReadDir(filepath.Join(h.dir, "blobs")); len(files) != 0 {
		t.Errorf("%d files are left of no repository", len(files))
	}
}

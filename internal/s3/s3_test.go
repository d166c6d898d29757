package s3_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/s3"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

const account = "111122223333"

// rig is the service over a store in memory and a directory.
type rig struct {
	*s3.Service
	ctx   context.Context
	store store.Store
	dir   string
	told  *told
}

func newRig(t *testing.T) *rig {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	r := &rig{store: st, dir: filepath.Join(t.TempDir(), "s3"), told: &told{}}
	r.ctx = wire.WithCaller(t.Context(), &wire.Caller{Account: account, Region: "us-east-1", Partition: "aws"})
	r.open(t)
	return r
}

func (r *rig) open(t *testing.T) {
	t.Helper()
	s, err := s3.New(t.Context(), s3.Config{Store: r.store, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Dir: r.dir, Targets: r.told, IAM: open{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	r.Service = s
}

func (r *rig) files(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// open lets everybody in.
type open struct{}

func (open) Lookup(string) *wire.Principal { return nil }

// Exists implements s3.IAM: there are roots alone.
func (open) Exists(arn string) bool { return strings.HasSuffix(arn, ":root") }

func (open) Authorize(context.Context, *wire.Caller, wire.IAMTarget) string { return "" }

func (r *rig) serve(t *testing.T) string {
	t.Helper()
	h, err := awsapi.New(awsapi.Config{
		Services: []awsapi.Registration{{Model: &s3api.Service, Service: r.Service}},
		Keys:     open{}, Authorizer: open{}, Log: slog.New(slog.DiscardHandler), Clock: clock.System{},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func TestBoto3(t *testing.T) {
	t.Parallel()
	if exec.Command("python3.11", "-c", "import boto3").Run() != nil {
		t.Skip("needs python3.11 with boto3")
	}
	r := newRig(t)
	cmd := exec.Command("python3.11", "testdata/client.py")
	cmd.Env = append(os.Environ(), "ENDPOINT="+r.serve(t))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := r.files(t); n != 0 {
		t.Errorf("%d files are left of deleted objects", n)
	}
	err := r.store.View(t.Context(), func(tx store.ReadTx) error {
		for kv := range tx.Scan(store.Range{}) {
			t.Errorf("left: %q", kv.Key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (r *rig) put(t *testing.T, key, body string) {
	t.Helper()
	must[*s3api.PutObjectOutput](t)(r.PutObject(r.ctx, &s3api.PutObjectRequest{Bucket: wire.Ptr("code"), Key: &key, Body: []byte(body)}))
}

func TestReadObject(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	must[*s3api.CreateBucketOutput](t)(r.CreateBucket(r.ctx, &s3api.CreateBucketRequest{Bucket: wire.Ptr("code")}))
	r.put(t, "f.zip", "bytes")
	if data, err := r.ReadObject(t.Context(), account, "code", "f.zip", ""); err != nil || string(data) != "bytes" {
		t.Errorf("%q, %v", data, err)
	}
	for _, c := range []struct{ account, bucket, key, version, code string }{
		{account, "nope", "f.zip", "", "NoSuchBucket"},
		{account, "code", "g.zip", "", "NoSuchKey"},
		{account, "code", "f.zip", "1", "NoSuchVersion"},
		{"999999999999", "code", "f.zip", "", "AccessDenied"},
	} {
		_, err := r.ReadObject(t.Context(), c.account, c.bucket, c.key, c.version)
		if code, _, _, _ := wire.ErrorFacts(err); code != c.code {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestStartDeletesOrphans(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	must[*s3api.CreateBucketOutput](t)(r.CreateBucket(r.ctx, &s3api.CreateBucketRequest{Bucket: wire.Ptr("code")}))
	r.put(t, "kept", "bytes")
	upload := must[*s3api.CreateMultipartUploadOutput](t)(r.CreateMultipartUpload(r.ctx, &s3api.CreateMultipartUploadRequest{Bucket: wire.Ptr("code"), Key: wire.Ptr("k")}))
	must[*s3api.UploadPartOutput](t)(r.UploadPart(r.ctx, &s3api.UploadPartRequest{
		Bucket: wire.Ptr("code"), Key: wire.Ptr("k"), UploadId: upload.UploadId, PartNumber: wire.Ptr(int64(1)), Body: []byte("part"),
	}))
	if err := os.WriteFile(filepath.Join(r.dir, "orphan"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Close(t.Context())
	r.open(t)
	for deadline := 500; r.files(t) != 2 && deadline > 0; deadline-- {
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "orphan")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the orphan is still there: %v", err)
	}
	if data, err := r.ReadObject(t.Context(), account, "code", "kept", ""); err != nil || string(data) != "bytes" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestEmptyPartsAndObjects(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bucket, key := wire.Ptr("code"), wire.Ptr("empty")
	must[*s3api.CreateBucketOutput](t)(r.CreateBucket(r.ctx, &s3api.CreateBucketRequest{Bucket: bucket}))
	upload := must[*s3api.CreateMultipartUploadOutput](t)(r.CreateMultipartUpload(r.ctx, &s3api.CreateMultipartUploadRequest{Bucket: bucket, Key: key}))
	var part *s3api.UploadPartOutput
	for range 2 { // the second replaces the first
		part = must[*s3api.UploadPartOutput](t)(r.UploadPart(r.ctx, &s3api.UploadPartRequest{Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: wire.Ptr(int64(1))}))
	}
	must[*s3api.CompleteMultipartUploadOutput](t)(r.CompleteMultipartUpload(r.ctx, &s3api.CompleteMultipartUploadRequest{
		Bucket: bucket, Key: key, UploadId: upload.UploadId,
		MultipartUpload: &s3api.CompletedMultipartUpload{Parts: []s3api.CompletedPart{{PartNumber: wire.Ptr(int64(1)), ETag: part.ETag}}},
	}))
	must[*s3api.CopyObjectOutput](t)(r.CopyObject(r.ctx, &s3api.CopyObjectRequest{Bucket: bucket, Key: wire.Ptr("copy"), CopySource: wire.Ptr("code/empty")}))
	for _, name := range []string{"empty", "copy"} {
		if data, err := r.ReadObject(t.Context(), account, "code", name, ""); err != nil || len(data) != 0 {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	r.put(t, "after", "the directory is still there")
}

// TestOneLockIsTaken races writers for a key that must not exist.
func TestOneLockIsTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	must[*s3api.CreateBucketOutput](t)(r.CreateBucket(r.ctx, &s3api.CreateBucketRequest{Bucket: wire.Ptr("code")}))
	const writers = 16
	won := make(chan bool, writers)
	for range writers {
		go func() {
			_, err := r.PutObject(r.ctx, &s3api.PutObjectRequest{Bucket: wire.Ptr("code"), Key: wire.Ptr("lock"), Body: []byte("me"), IfNoneMatch: wire.Ptr("*")})
			won <- err == nil
		}()
	}
	n := 0
	for range writers {
		if <-won {
			n++
		}
	}
	if n != 1 || r.files(t) != 1 {
		t.Errorf("%d writers won and %d files are left, want 1 of each", n, r.files(t))
	}
}

// TestTrailer sends checksums behind a chunked body, as SDKs do over HTTPS.
func TestTrailer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	must[*s3api.CreateBucketOutput](t)(r.CreateBucket(r.ctx, &s3api.CreateBucketRequest{Bucket: wire.Ptr("code")}))
	url := r.serve(t) + "/code/k"
	for _, c := range []struct {
		name, crc32 string
		status      int
		code        string
	}{
		{"the right checksum", "DUoRhQ==", 200, ""},
		{"a wrong one", "AAAAAA==", 400, "BadDigest"},
	} {
		body := "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:" + c.crc32 + "\r\n\r\n"
		req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body)))
		req.Header = http.Header{
			"Authorization":                {"AWS4-HMAC-SHA256 Credential=" + account + "/" + time.Now().UTC().Format("20060102") + "/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=" + strings.Repeat("0", 64)},
			"X-Amz-Date":                   {time.Now().UTC().Format("20060102T150405Z")},
			"X-Amz-Content-Sha256":         {"STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
			"X-Amz-Decoded-Content-Length": {"11"},
			"X-Amz-Sdk-Checksum-Algorithm": {"CRC32"},
			"X-Amz-Trailer":                {"x-amz-checksum-crc32"},
			"Content-Encoding":             {"gzip,aws-chunked"},
		}
		res := must[*http.Response](t)(http.DefaultClient.Do(req))
		answer, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != c.status || !strings.Contains(string(answer), c.code) {
			t.Errorf("%s: %d %s", c.name, res.StatusCode, answer)
		}
	}
	head := must[*s3api.HeadObjectOutput](t)(r.HeadObject(r.ctx, &s3api.HeadObjectRequest{Bucket: wire.Ptr("code"), Key: wire.Ptr("k"), ChecksumMode: wire.Ptr("ENABLED")}))
	if wire.Val(head.ChecksumCRC32) != "DUoRhQ==" || wire.Val(head.ContentEncoding) != "gzip" || wire.Val(head.ContentLength) != 11 {
		t.Errorf("stored as %q, %q, %d bytes", wire.Val(head.ChecksumCRC32), wire.Val(head.ContentEncoding), wire.Val(head.ContentLength))
	}
}

// Package s3 is Amazon S3 as far as the upload of Lambda code and Terraform's
// state need it: buckets, objects with conditional writes, checksums, tags and
// versions, multipart uploads, and truthful answers about the settings of a
// bucket that can't be changed here. Metadata is in the store, the bytes of
// objects are files (blob.go).
//
// One endpoint serves the buckets of all regions.
package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Config is what New needs; every field is required.
type Config struct {
	Store store.Store
	Clock clock.Clock
	Log   *slog.Logger
	Dir   string // for the bytes of objects; made if missing, nobody else's
	// Targets are what buckets notify.
	Targets Targets
	Keys    Keys
	// IAM decides where an operation asks for more than one permission, and
	// knows whom policies of buckets may name.
	IAM IAM
}

// IAM is what S3 asks of IAM.
type IAM interface {
	// Authorize returns "" if a caller may act on a target, and otherwise the
	// message of the refusal.
	Authorize(ctx context.Context, caller *wire.Caller, target wire.IAMTarget) string
	// Exists reports whether there is a user, role or account of this ARN.
	Exists(arn string) bool
}

// Service implements S3.
type Service struct {
	Config
	blobs   blobs
	queue   *due.Queue // of notices
	closing context.CancelFunc
	running sync.WaitGroup
}

// Bucket names are unique over all accounts and regions; what is in a bucket
// hangs on its id.
var (
	buckets  = record.New[bucket]("s3", "bucket")        // name
	versions = record.New[object]("s3", "version")       // bucket id, key, newest first
	uploads  = record.New[upload]("s3", "upload")        // bucket id, key, upload id
	parts    = record.New[uploaded]("s3", "upload-part") // upload id, part number
)

// New opens the service over its store and its directory, where it deletes
// files that a crash left without an object. Targets are notified from Start on.
func New(ctx context.Context, cfg Config) (*Service, error) {
	s := &Service{Config: cfg}
	var err error
	if s.blobs, err = openBlobs(cfg.Dir, cfg.Log); err != nil {
		return nil, err
	}
	found, err := s.blobs.names()
	if err != nil {
		return nil, err
	}
	s.queue = due.Held(due.Attempts(s.attempt, cfg.Clock, cfg.Log), cfg.Clock)
	if err := s.resume(ctx); err != nil {
		s.queue.Close(ctx)
		return nil, err
	}
	ctx, s.closing = context.WithCancel(context.WithoutCancel(ctx))
	s.running.Go(func() { s.sweep(ctx, found) })
	return s, nil
}

// Start lets notices go out: their targets are there now.
func (s *Service) Start() { s.queue.Start() }

// Close stops what runs in the background, and waits for notices that are under
// way until ctx ends.
func (s *Service) Close(ctx context.Context) error {
	s.closing()
	s.running.Wait()
	s.queue.Close(ctx)
	return nil
}

// sweep deletes those of the files found at the start that nothing refers to.
func (s *Service) sweep(ctx context.Context, found map[string]bool) {
	if len(found) == 0 {
		return
	}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		for o, err := range versions.All(r) {
			if err != nil {
				return err
			}
			for _, b := range o.Blobs {
				delete(found, b.Name)
			}
		}
		for p, err := range parts.All(r) {
			if err != nil {
				return err
			}
			delete(found, p.Blob.Name)
		}
		return ctx.Err()
	})
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Error("files of S3 objects couldn't be checked", "error", err)
		}
		return
	}
	for name := range found {
		s.blobs.remove([]blob{{Name: name}})
	}
}

// now is the current time to the second, as S3 keeps it.
func (s *Service) now() time.Time { return s.Clock.Now().Truncate(time.Second) }

func account(ctx context.Context) string { return wire.CallerFrom(ctx).Account }

// canonicalID is an account's canonical user id: 64 hexadecimal digits.
func canonicalID(account string) string {
	sum := sha256.Sum256([]byte("canonical user " + account))
	return hex.EncodeToString(sum[:])
}

func owner(account string) *s3api.Owner { return &s3api.Owner{ID: wire.Ptr(canonicalID(account))} }

// Errors that S3's model doesn't declare (API Reference, "Error responses").

func failure(status int, code, message string) error {
	return &wire.Error{Code: code, Status: status, Message: message}
}

func invalidArgument(message string) error {
	return failure(http.StatusBadRequest, "InvalidArgument", message)
}

func malformedXML() error {
	return failure(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

func accessDenied() error {
	return &s3api.AccessDenied{Message: wire.Ptr("Access Denied")}
}

func noSuchBucket(name string) error {
	return &wire.About{Err: &s3api.NoSuchBucket{Message: wire.Ptr("The specified bucket does not exist")}, Member: "BucketName", Value: name}
}

func noSuchKey(key string) error {
	return &wire.About{Err: &s3api.NoSuchKey{Message: wire.Ptr("The specified key does not exist.")}, Member: "Key", Value: key}
}

func noSuchVersion() error {
	return failure(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
}

func preconditionFailed() error {
	return failure(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

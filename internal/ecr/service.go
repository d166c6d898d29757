// Package ecr is Amazon ECR: repositories of container images, the API over
// them, and the registry that docker and its like push to and pull from
// (registry.go). Manifests are records in the store; layers and configurations
// are files, each once under its digest.
package ecr

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Authorizer decides whether a caller of the registry may do something.
type Authorizer interface {
	// Authorize returns "" if the caller may, or the message of the refusal.
	Authorize(ctx context.Context, caller *wire.Caller, target wire.IAMTarget) (denial string)
}

// Config is what New needs; every field is required.
type Config struct {
	Store      store.Store
	Clock      clock.Clock
	Log        *slog.Logger
	Authorizer Authorizer
	Dir        string // folder for layers
	Host       string // host:port at which clients reach the registry
}

// Service implements ECR.
type Service struct {
	Config
	blobs   blobs
	uploads uploads
	secret  []byte // that tokens are signed with
	expiry  expiry
}

// repositoryRecord is one repository.
type repositoryRecord struct {
	Account, Region, Name string
	Created               time.Time
	Mutability            string
	Exclusions            []ecrapi.ImageTagMutabilityExclusionFilter `json:",omitzero"`
	ScanOnPush            bool                                       `json:",omitzero"`
	Tags                  map[string]string                          `json:",omitzero"`
	Policy                string                                     `json:",omitzero"`
	Lifecycle             lifecycleRecord                            `json:",omitzero"`
}

// lifecycleRecord is a repository's lifecycle policy, if its text isn't "".
type lifecycleRecord struct {
	Text      string
	Evaluated time.Time `json:",omitzero"`
}

// imageRecord is one manifest of a repository: an image's, or an index of
// several.
type imageRecord struct {
	Digest       string // sha256:…
	MediaType    string
	ArtifactType string `json:",omitzero"` // media type of the configuration
	Manifest     []byte
	Size         int64 // of what it names, in bytes
	Blobs        []string
	Subject      string `json:",omitzero"` // digest of the image that it is about, such as a signature's
	Pushed       time.Time
	Pulled       time.Time                       `json:",omitzero"`
	Replicated   []ecrapi.ImageReplicationStatus `json:",omitzero"`
}

type tagRecord struct{ Tag, Digest string }

// layerRecord says that a repository has a layer or configuration.
type layerRecord struct {
	Digest    string
	Size      int64
	MediaType string `json:",omitzero"` // as a manifest has it
}

var (
	// The ids are account, region and repository, and then the digest or tag.
	repositories = record.New[repositoryRecord]("ecr", "repository")
	images       = record.New[imageRecord]("ecr", "image")
	tags         = record.New[tagRecord]("ecr", "tag")
	layers       = record.New[layerRecord]("ecr", "layer")
	settings     = record.New[settingsRecord]("ecr", "settings") // of an account in a region
	previews     = record.New[previewRecord]("ecr", "preview")   // one for each repository
	secrets      = record.New[[]byte]("ecr", "secret")
)

// New opens the service over its store and deletes layers that no repository
// has. From then on images expire by their lifecycle policies; Close ends that.
func New(ctx context.Context, cfg Config) (*Service, error) {
	s := &Service{Config: cfg}
	var err error
	if s.blobs, err = openBlobs(cfg.Dir); err != nil {
		return nil, err
	}
	s.uploads.open = map[string]*upload{}
	if s.secret, err = s.loadSecret(ctx); err != nil {
		return nil, err
	}
	used := map[string]bool{}
	err = cfg.Store.View(ctx, func(r store.ReadTx) error {
		for l, err := range layers.All(r) {
			if err != nil {
				return err
			}
			used[l.Digest] = true
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list layers: %w", err)
	}
	if err := s.blobs.sweep(used); err != nil {
		return nil, err
	}
	return s, s.startExpiry(ctx)
}

// Close waits for images that are being expired until ctx ends.
func (s *Service) Close(ctx context.Context) error {
	s.expiry.queue.Close(ctx)
	return nil
}

// place is where a repository's name is unique: an account's registry in a
// region.
type place struct{ account, region, name string }

func (p place) key(more ...string) []string {
	return append([]string{p.account, p.region, p.name}, more...)
}

func (rec *repositoryRecord) place() place { return place{rec.Account, rec.Region, rec.Name} }

func (p place) arn() string {
	return arn.New("ecr", p.region, p.account, "repository/"+p.name).String()
}

// placeOf is the repository that a request names; registryID may be another
// account's.
func placeOf(ctx context.Context, registryID, name *string) place {
	c := wire.CallerFrom(ctx)
	p := place{c.Account, c.Region, wire.Val(name)}
	if registryID != nil {
		p.account = *registryID
	}
	return p
}

// uri is where clients of the registry find the repository: at butai's own
// address, so that no name needs to resolve.
func (s *Service) uri(p place) string {
	return s.Host + "/" + p.account + "/" + p.region + "/" + p.name
}

// get reads a repository that must exist.
func get(r store.ReadTx, p place) (*repositoryRecord, error) {
	rec, err := repositories.Get(r, p.key()...)
	if err == nil && rec == nil {
		err = &ecrapi.RepositoryNotFoundException{Message: wire.Ptr(
			fmt.Sprintf("The repository with name '%s' does not exist in the registry with id '%s'", p.name, p.account))}
	}
	return rec, err
}

// open reads a repository that a request is about. That of another account is
// open only through its policy, which was evaluated with the caller's.
func open(ctx context.Context, r store.ReadTx, p place) (*repositoryRecord, error) {
	rec, err := get(r, p)
	if err != nil || p.account == wire.CallerFrom(ctx).Account {
		return rec, err
	}
	shared, err := resourcePolicy(r, rec)
	if err == nil && shared == "" {
		return nil, &wire.Error{Code: "AccessDeniedException", Status: 400, Message: "User: " + wire.CallerFrom(ctx).ARN +
			" is not authorized to perform this operation on resource: " + p.arn() + " because no resource-based policy allows it"}
	}
	return rec, err
}

// edit changes a repository.
func (s *Service) edit(ctx context.Context, p place, fn func(tx store.Tx, rec *repositoryRecord) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error {
		rec, err := open(ctx, tx, p)
		if err != nil {
			return err
		}
		if err := fn(tx, rec); err != nil {
			return err
		}
		return repositories.Put(tx, rec, p.key()...)
	})
}

func invalid(format string, args ...any) error {
	return &ecrapi.InvalidParameterException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

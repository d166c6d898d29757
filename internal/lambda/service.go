// Package lambda is the Lambda control plane: functions, versions, aliases,
// permissions and the invocation API. It keeps its records in the store and
// publishes them to package catalog, from which calls are served.
package lambda

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/lambda/bundle"
	"github.com/butai-dev/butai/internal/lambda/image"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Engine runs functions. *function.Engine implements it.
type Engine interface {
	function.Invoker
	// Retire ends the sandboxes of a Spec that no call can reach any more.
	Retire(specID string)
	// Expect tells that a Spec will probably be invoked soon.
	Expect(spec *function.Spec)
	// Provision keeps as many sandboxes of a Spec ready as it says, and
	// Provisioned tells how many are, or that the function fails to initialize.
	Provision(spec *function.Spec)
	Provisioned(specID string) (ready int, initFails bool)
	// RunsImages returns nil if functions from container images can be run, and
	// ImageRoots those of images that sandboxes run on.
	RunsImages() error
	ImageRoots() []string
	// Snapshot initializes a Spec with SnapStart; a *function.InitError says that
	// the function is to blame.
	Snapshot(ctx context.Context, spec *function.Spec) error
}

// Objects fetches code that was uploaded to S3.
type Objects interface {
	// GetObject reads an object, or its given version. The error is an AWS
	// error of S3, such as NoSuchKey.
	GetObject(ctx context.Context, account, bucket, key, version string) ([]byte, error)
}

// Roles knows IAM's roles.
type Roles interface {
	// Assumable reports whether the role exists and trusts the service.
	Assumable(roleARN, service string) bool
}

// Principals knows who can be named in a permission.
type Principals interface {
	// Exists reports whether there is a user, role or account of this ARN.
	Exists(arn string) bool
}

// Runtimes finds interpreters. *runtimes.Set implements it.
type Runtimes interface {
	Lookup(ctx context.Context, runtime string) (*runtimes.Interpreter, error)
}

// Config is what New needs; every field is required unless it says otherwise.
type Config struct {
	Store      store.Store
	Clock      clock.Clock
	Log        *slog.Logger
	Engine     Engine
	Catalog    *catalog.Catalog
	CodeDir    string // folder for uploaded code
	ImageDir   string // folder for unpacked container images
	Images     Images
	Objects    Objects
	Roles      Roles
	Principals Principals
	Runtimes   Runtimes
	Targets    Targets
	URLs       URLs
	Sources    Sources
	Keys       Keys

	// Retries are the waits before an event whose function failed is tried
	// again; nil means DefaultRetries.
	Retries []time.Duration
}

// Service implements the Lambda API.
type Service struct {
	Config
	code       *bundle.Store
	images     *image.Store
	imageHold  imageHold
	links      *bundle.Links
	publishing sync.Mutex      // orders what publish reads and puts
	published  map[id][]string // the ids of URLs, guarded by publishing
	queue      *due.Queue
	pollers    pollers
	snapshots  *snapshots
}

// functionRecord is one function.
type functionRecord struct {
	Latest    versionRecord
	Published int64             // the highest version number ever given
	Tags      map[string]string `json:",omitzero"`
	Reserved  *int64            `json:",omitzero"` // concurrent executions
	Loops     bool              `json:",omitzero"` // it may go round in circles
	Signing   string            `json:",omitzero"` // ARN of its code signing configuration
	// Rules are the runtime management configurations by version.
	Rules map[string]runtimeRule `json:",omitzero"`
}

// versionRecord is $LATEST or a published version: the answer as the API
// gives it, with the unqualified ARN, and what isn't shown.
type versionRecord struct {
	Config lambdaapi.FunctionConfiguration
	SpecID string // changes whenever running sandboxes can't serve it
	// LayerCode are the hashes of the layers' code, in their order.
	LayerCode []string `json:",omitzero"`
	// Image is where its image is from; nil for code from an archive.
	Image *imageRecord `json:",omitzero"`
	// Source is the fingerprint of $LATEST when the version was published.
	Source string `json:",omitzero"`
}

var (
	// The ids are account, region and function name, and then the version in
	// twelve digits, the alias name, the policy's qualifier.
	functions = record.New[functionRecord]("lambda", "function")
	versions  = record.New[versionRecord]("lambda", "version")
	aliases   = record.New[lambdaapi.AliasConfiguration]("lambda", "alias")
	policies  = record.New[policyRecord]("lambda", "policy")
	events    = record.New[eventRecord]("lambda", "event") // by request id
)

// New opens the service over its store, publishes every function, and takes
// up the events that wait to be delivered. Close ends it.
func New(ctx context.Context, cfg Config) (*Service, error) {
	code, err := bundle.Open(cfg.CodeDir)
	if err != nil {
		return nil, err
	}
	if cfg.Retries == nil {
		cfg.Retries = DefaultRetries
	}
	images, err := image.Open(cfg.ImageDir)
	if err != nil {
		return nil, err
	}
	s := &Service{Config: cfg, code: code, images: images, links: bundle.NewLinks(code, cfg.Clock), published: map[id][]string{}, snapshots: newSnapshots()}
	if err := s.publishAll(ctx); err != nil {
		return nil, fmt.Errorf("publish functions: %w", err)
	}
	s.queue = due.New(s.deliver, cfg.Clock)
	if err := s.resumeEvents(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("take up events: %w", err), s.Close(ctx))
	}
	if err := s.resumeMappings(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start event source mappings: %w", err), s.Close(ctx))
	}
	return s, nil
}

// Close stops delivering events and waits for those under way until ctx ends.
// Events that are left are delivered after the next start, so the error is
// always nil.
func (s *Service) Close(ctx context.Context) error {
	s.imageHold.sweeps.Wait()
	s.snapshots.close()
	s.pollers.close(ctx)
	s.queue.Close(ctx)
	return nil
}

// CodeHandler serves the download links of GetFunction; it belongs at
// bundle.LinkPath.
func (s *Service) CodeHandler() (path string, h http.Handler) { return bundle.LinkPath, s.links }

// LastModified and RevisionId are new with every change.
const lastModifiedLayout = "2006-01-02T15:04:05.000-0700"

func (s *Service) lastModified() *string {
	return wire.Ptr(s.Clock.Now().Format(lastModifiedLayout))
}

// id finds a function's records.
type id struct{ account, region, name string }

func (i id) key(more ...string) []string {
	return append([]string{i.account, i.region, i.name}, more...)
}

// arn is the unqualified function ARN.
func (i id) arn() string {
	return "arn:aws:lambda:" + i.region + ":" + i.account + ":function:" + i.name
}

// get reads a function; missing is the ARN in the error if there is none.
func get(r store.ReadTx, i id, missing string) (*functionRecord, error) {
	f, err := functions.Get(r, i.key()...)
	if err == nil && f == nil {
		err = notFound(missing)
	}
	return f, err
}

// edit changes one function and publishes it.
func (s *Service) edit(ctx context.Context, i id, fn func(tx store.Tx, f *functionRecord) error) error {
	return s.update(ctx, i, func(tx store.Tx) error {
		f, err := get(tx, i, i.arn())
		if err != nil {
			return err
		}
		if err := fn(tx, f); err != nil {
			return err
		}
		return functions.Put(tx, f, i.key()...)
	})
}

// update runs a change to a function's records and publishes the function.
func (s *Service) update(ctx context.Context, i id, fn func(store.Tx) error) error {
	if err := s.Store.Update(ctx, fn); err != nil {
		return err
	}
	// The change is made, whether the client still waits or not.
	return s.publish(context.WithoutCancel(ctx), i)
}

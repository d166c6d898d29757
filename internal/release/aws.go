package release

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/butai-dev/butai/internal/release/journal"
	"github.com/butai-dev/butai/internal/release/plan"
)

// Gateway is what a release needs of API Gateway. Every method is about one
// API. Implementations wait out throttling and concurrent changes.
type Gateway interface {
	// Stage returns a stage; one that doesn't exist is Missing.
	Stage(ctx context.Context, name string) (plan.Stage, error)
	// ChangeStage applies a change in one call.
	ChangeStage(ctx context.Context, name string, change plan.Change) error
	Deployments(ctx context.Context) ([]Deployment, error)
	CreateDeployment(ctx context.Context, description string) (id string, err error)
	DeleteDeployment(ctx context.Context, id string) error
	// Integrations lists what of the API, as it is now, calls Lambda: methods'
	// integrations and authorizers.
	Integrations(ctx context.Context) ([]Integration, error)
	SetURI(ctx context.Context, i Integration, uri string) error
	// Export returns what a stage serves as OpenAPI 3, with API Gateway's
	// extensions, or an error if the endpoint can't export.
	Export(ctx context.Context, stage string) ([]byte, error)
	// Settings are a stage's own settings, such as throttles, which no
	// promotion moves.
	Settings(ctx context.Context, stage string) (map[string]string, error)
}

// Deployment is a frozen copy of the API.
type Deployment struct {
	ID, Description string
	Created         time.Time
}

// Integration is a method's integration with Lambda, or an authorizer that
// calls it.
type Integration struct {
	ResourceID, Path, Method string
	// Authorizer is an authorizer's id; Path and Method are empty then.
	Authorizer, Name string
	// Role is the role that API Gateway calls as; "" if it calls for itself.
	Role string
	Type string // AWS or AWS_PROXY
	URI  string
	// Templates are the texts in which stage variables may be read.
	Templates []string
}

// String names what calls.
func (i Integration) String() string {
	if i.Authorizer != "" {
		return "authorizer " + i.Name
	}
	return i.Method + " " + i.Path
}

// Functions is what a release needs of Lambda.
type Functions interface {
	// Configuration returns a version, or the version behind an alias.
	Configuration(ctx context.Context, function, qualifier string) (*Configuration, error)
	// Publish freezes $LATEST, if it still is what codeSHA256 and revision say.
	// Lambda answers with the last version if nothing has changed since.
	Publish(ctx context.Context, function, codeSHA256, revision, description string) (*Configuration, error)
	// Code downloads a version's zip.
	Code(ctx context.Context, function, qualifier string) ([]byte, error)
	Versions(ctx context.Context, function string) ([]Configuration, error)
	DeleteVersion(ctx context.Context, function, version string) error

	// Alias returns an alias, or nil if there is none.
	Alias(ctx context.Context, function, name string) (*Alias, error)
	Aliases(ctx context.Context, function string) ([]Alias, error)
	CreateAlias(ctx context.Context, function, name, version, description string) error
	// MoveAlias points an alias at one version, if it still has this revision.
	MoveAlias(ctx context.Context, function string, alias Alias, version string) error
	DeleteAlias(ctx context.Context, function, name string) error

	// Policy returns an alias's resource policy, "" if it has none.
	Policy(ctx context.Context, function, alias string) (string, error)
	// Permit adds a statement that lets API Gateway call an alias; one of the
	// same id may be there already.
	Permit(ctx context.Context, function, alias string, p Permission) error
}

// Configuration is a function's version.
type Configuration struct {
	ARN                 string // qualified
	Version, CodeSHA256 string
	Revision            string
	Updating            bool // an update of $LATEST is in progress
	Modified            string
	Runtime, Handler    string
	Role                string
	Memory, Timeout     int32
	Layers              []string
	Environment         map[string]string
}

// Alias is a name for a version of a function.
type Alias struct {
	Name, Version, Revision string
	Weights                 map[string]float64
}

// Permission is a statement of an alias's resource policy for API Gateway.
type Permission struct {
	ID                       string
	SourceARN, SourceAccount string
}

// Records keeps the journal, the definitions and the leases.
type Records interface {
	// Append stores a line; ErrTaken says that its place is taken.
	Append(ctx context.Context, e *journal.Entry) error
	// Entries returns the lines after a place, in order.
	Entries(ctx context.Context, after int) ([]journal.Entry, error)
	// PutDefinition stores an exported API under its SHA-256.
	PutDefinition(ctx context.Context, sum string, text []byte) error
	// Definition returns it, or nil.
	Definition(ctx context.Context, sum string) ([]byte, error)
	// Lease takes or renews a stage's lease until a time; ErrLeased says who
	// holds it.
	Lease(ctx context.Context, stage, owner string, now, until time.Time) error
	// Unlease gives a lease back, if owner still holds it.
	Unlease(ctx context.Context, stage, owner string) error
	// Create makes the table or the bucket, unless it is there.
	Create(ctx context.Context) error
}

// Metrics reads CloudWatch.
type Metrics interface {
	// Stage sums a stage's metrics over the time since.
	Stage(ctx context.Context, stage string, since, until time.Time) (*Numbers, error)
	// Alias sums the metrics of a function's alias.
	Alias(ctx context.Context, function, alias string, since, until time.Time) (*Numbers, error)
}

// Numbers are what happened over some minutes. Latencies are in milliseconds.
type Numbers struct {
	Requests, Errors float64
	P50, P99         float64
}

// Account says where and as whom the commands act.
type Account struct {
	ID, Region, Partition string
	Principal             string // the caller's ARN
	// Endpoint is AWS_ENDPOINT_URL, or "" for AWS.
	Endpoint string
}

// ErrTaken says that somebody else wrote the journal's next line.
var ErrTaken = errors.New("the journal's next line is taken")

// LeaseError says who is releasing a stage.
type LeaseError struct {
	Stage, Owner string
	Until        time.Time
}

func (e *LeaseError) Error() string {
	return fmt.Sprintf("stage %s is being released by %s, whose lease runs until %s", e.Stage, e.Owner, e.Until.Format(time.RFC3339))
}

// weights says how an alias's calls are shared, as "1 90%, 2 10%".
func (a *Alias) weights() string {
	const percent = 100
	rest, text := 1.0, ""
	for _, v := range sortedKeys(a.Weights) {
		rest -= a.Weights[v]
		text += fmt.Sprintf(", %s %g%%", v, a.Weights[v]*percent)
	}
	return fmt.Sprintf("%s %g%%%s", a.Version, rest*percent, text)
}

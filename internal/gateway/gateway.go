package gateway

import (
	"crypto/x509"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/metric"
)

// LogEvent is one CloudWatch Logs event.
type LogEvent struct {
	Time    time.Time
	Message string
}

// LogSink takes log events off the gateway's hands. Put must not block on
// I/O; the slice is the sink's afterwards.
type LogSink interface {
	Put(account, region, group, stream string, events []LogEvent)
}

// Config is what New needs; every field is required, but tracing is off unless
// it is asked for, and no VPC link leads anywhere.
type Config struct {
	Functions Functions
	Signers   Signers
	UserPools UserPools
	Logs      LogSink
	Clock     clock.Clock
	Log       *slog.Logger
	Tracing   Tracing
	// Services are the AWS services to integrate with; nil for none.
	Services Services
	// VPCLinks are the addresses behind VPC links, as scheme://host:port, by
	// the link's id, its name or the ARN of its load balancer.
	VPCLinks map[string]*url.URL
}

// Gateway serves the stages and domains published to it. All methods are safe
// for concurrent use; requests take no lock.
type Gateway struct {
	functions Functions
	signers   Signers
	pools     UserPools
	logs      LogSink
	clock     clock.Clock
	log       *slog.Logger
	traces    *traces // nil if tracing is off
	meters    metric.Meters[meterKey]
	backends  *backends

	mu     sync.Mutex // held while a new table is made
	tables atomic.Pointer[tables]
}

// tables is everything a request can find. It is immutable: publishing makes
// a new one.
type tables struct {
	stages  map[stageKey]*stage
	domains map[string]*domain // by lower-case name
	clients map[planScope]*clients
}

type stageKey struct{ apiID, stage string }

// New returns a gateway that serves nothing yet.
func New(cfg Config) *Gateway {
	g := &Gateway{functions: cfg.Functions, signers: cfg.Signers, pools: cfg.UserPools, logs: cfg.Logs, clock: cfg.Clock, log: cfg.Log,
		traces: newTraces(cfg.Tracing), backends: &backends{services: cfg.Services, links: cfg.VPCLinks}}
	g.tables.Store(&tables{})
	return g
}

// PublishStage compiles s and serves it from now on instead of what was there
// under its API and name. s and what it refers to must not be changed
// afterwards; edits reach clients by publishing another Stage. On an error,
// which means a resource tree that API Gateway would not have accepted, what
// was there stays. Faults of a single method (a template that does not parse,
// a part that is not built) do not fail here: that method answers with them.
func (g *Gateway) PublishStage(s *Stage) error {
	st, err := compileStage(s, g.backends, nil, g.log)
	if err != nil {
		return err
	}
	for half := range st.halves() {
		for _, pool := range half.pools() {
			g.pools.Watch(pool)
		}
	}
	g.edit(func(t *tables) {
		at := stageKey{st.apiID, st.name}
		before := t.stages[at]
		for half := range st.halves() {
			for old := range before.halves() {
				if old.deploymentID == half.deploymentID {
					half.verdicts = old.verdicts
				}
			}
		}
		if before != nil {
			st.limiters.goOn(before.limiters)
		}
		st.openCaches(s, before)
		t.stages[at] = st
	})
	return nil
}

// FlushAuthorizers forgets what a stage's Lambda authorizers said.
func (g *Gateway) FlushAuthorizers(apiID, stage string) {
	for half := range g.tables.Load().stages[stageKey{apiID, stage}].halves() {
		half.verdicts.clear()
	}
}

// RemoveStage stops serving a stage. It does nothing if there is none.
func (g *Gateway) RemoveStage(apiID, stage string) {
	g.edit(func(t *tables) { delete(t.stages, stageKey{apiID, stage}) })
}

// PublishDomain serves d from now on, instead of what was there under its name.
// On an error, which means a policy that is none, what was there stays.
func (g *Gateway) PublishDomain(d *DomainName) error {
	compiled, err := compileDomain(d)
	if err != nil {
		return err
	}
	g.edit(func(t *tables) { t.domains[hostKey(d.Name)] = compiled })
	return nil
}

// RemoveDomain stops serving a custom domain. It does nothing if there is none.
func (g *Gateway) RemoveDomain(name string) {
	g.edit(func(t *tables) { delete(t.domains, hostKey(name)) })
}

// edit replaces the tables by a changed copy.
func (g *Gateway) edit(change func(*tables)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	old := g.tables.Load()
	t := &tables{stages: maps.Clone(old.stages), domains: maps.Clone(old.domains), clients: maps.Clone(old.clients)}
	if t.stages == nil {
		t.stages = map[stageKey]*stage{}
	}
	if t.domains == nil {
		t.domains = map[string]*domain{}
	}
	if t.clients == nil {
		t.clients = map[planScope]*clients{}
	}
	change(t)
	g.tables.Store(t)
}

// Target says which stage a request is for and how the client addressed it.
type Target struct {
	APIID string
	Stage string
	// Region is the one the client named in the host, or "". A stage of
	// another region does not answer.
	Region string
	// Path is the part behind the stage or base path, raw (still
	// URL-encoded), beginning with a slash; it is what is routed.
	Path string
	// RequestPath is the path as the client sent it, for $context.path.
	RequestPath string
	// BasePath is a custom domain's matched base path, or "".
	BasePath string
	// RoutingRule is the id of the custom domain's rule that led here, or "".
	RoutingRule string
	// VPCEndpoint is the endpoint of a private API that the client named in
	// the host, or "".
	VPCEndpoint string
	// DomainName is the host for $context.domainName, without a port.
	DomainName string
	// Custom tells a custom domain from the API's own execute-api host, which
	// disableExecuteApiEndpoint closes.
	Custom bool
	// private is the private custom domain that the client asked, or nil.
	private *privateDomain
	// ClientCert is the certificate by which a custom domain with mutual TLS
	// knows the client.
	ClientCert *x509.Certificate
}

// proxyPath is the path member of a proxy event: with a custom domain's base
// path, without the stage.
func (t *Target) proxyPath() string {
	if t.BasePath == "" {
		return t.Path
	}
	return "/" + t.BasePath + t.Path
}

// ServeStage answers r, which the front door found to be for t.
func (g *Gateway) ServeStage(w http.ResponseWriter, r *http.Request, t Target) {
	x := newExchange(g, r, t)
	x.st = g.tables.Load().stages[stageKey{t.APIID, t.Stage}]
	if x.st != nil && x.st.strict && !t.Custom && !sameHost(r) {
		x.st = nil // answered as if nothing were there
	}
	x.serve(w)
}

// Package config is butai.yaml: which API, which stages in which order, which
// functions behind them, what to check and how to move. It is pure.
package config

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/butai-dev/butai/internal/release/plan"
)

// FileName is what the file is called unless --config names another.
const FileName = "butai.yaml"

// SchemaName is the file beside it that editors find its schema in; init
// writes it, and butai release schema prints it.
const SchemaName = "butai.schema.json"

// Schema is the JSON Schema of the file.
//
//go:embed butai.schema.json
var Schema []byte

// File is butai.yaml.
type File struct {
	API string `yaml:"api"` // its id
	// Records is where the records are kept: a DynamoDB table's name, or
	// s3://BUCKET or s3://BUCKET/PREFIX.
	Records string `yaml:"records"`
	// Variable is the stage variable from which integrations take the alias.
	Variable  string       `yaml:"variable"`
	Pairing   plan.Pairing `yaml:"pairing"`
	Functions []string     `yaml:"functions"`
	Stages    []Stage      `yaml:"stages"`
	Strategy  string       `yaml:"strategy,omitempty"`
	// Propagation is how long a change may take to be in force everywhere and
	// the requests before it to end. API Gateway's run 29 seconds at most.
	Propagation Duration `yaml:"propagation"`
	// Lease is after how long another may take over from a command that died.
	Lease Duration `yaml:"lease,omitempty"`
	// RolesCallPins says that the roles which API Gateway calls functions as
	// may also call the aliases that releases make.
	RolesCallPins bool    `yaml:"rolesCallPins,omitempty"`
	Checks        []Check `yaml:"checks,omitempty"`
	Gates         Gates   `yaml:"gates,omitempty"`
	// DarkHeader is the header by which requests to a stage's domain reach a
	// release in the dark; its value is the release's number.
	DarkHeader string `yaml:"darkHeader,omitempty"`
}

// Stage is a stage of the API, and the alias its requests reach. Stages are
// listed in the order in which changes travel.
type Stage struct {
	Name  string `yaml:"name"`
	Alias string `yaml:"alias"`
	// URL is where the stage answers; "" derives it from the endpoint.
	URL string `yaml:"url,omitempty"`
	// Domain is a custom domain that leads to the stage.
	Domain    string            `yaml:"domain,omitempty"`
	Variables map[string]string `yaml:"variables,omitempty"` // set by each release, besides the alias's
	Strategy  string            `yaml:"strategy,omitempty"`  // instead of the file's
}

// Check is a request and what its answer must be.
type Check struct {
	Name    string            `yaml:"name"`
	Method  string            `yaml:"method,omitempty"` // GET by default
	Path    string            `yaml:"path"`
	Headers map[string]string `yaml:"headers,omitempty"`
	Body    string            `yaml:"body,omitempty"`
	Stages  []string          `yaml:"stages,omitempty"` // only these; all by default
	Expect  Expect            `yaml:"expect"`
}

// Expect is what an answer must be. What is left out isn't looked at.
type Expect struct {
	Status  int               `yaml:"status,omitempty"`  // 200 by default
	Headers map[string]string `yaml:"headers,omitempty"` // name to regular expression
	JSON    map[string]any    `yaml:"json,omitempty"`    // JSONPath to value
	Body    string            `yaml:"body,omitempty"`    // regular expression
	Latency Duration          `yaml:"latency,omitempty"` // at most
	// Version says where the answer names the function version that made it:
	// "header:X-Version" or a JSONPath. It must be the release's.
	Version string `yaml:"version,omitempty"`
}

// Gates decide between the steps of a release.
type Gates struct {
	Metrics  *Metrics `yaml:"metrics,omitempty"`
	Hook     string   `yaml:"hook,omitempty"`    // a shell command; it passes if it exits 0
	Webhook  string   `yaml:"webhook,omitempty"` // a URL; it passes if it answers 2xx
	Approval bool     `yaml:"approval,omitempty"`
	Every    Duration `yaml:"every,omitempty"` // pause between rounds while a share is watched
}

// Metrics compares the new versions with the old ones over the same minutes.
type Metrics struct {
	MinimumRequests int     `yaml:"minimumRequests,omitempty"` // fewer are inconclusive; 50 by default
	ErrorRate       float64 `yaml:"errorRate,omitempty"`       // how much higher, in percentage points; 1 by default
	Latency         float64 `yaml:"latency,omitempty"`         // p99 at most this many times the old; 1.5 by default
}

// Duration is written as in Go: 30s, 5m.
type Duration time.Duration

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return fmt.Errorf("line %d: %q is no duration such as 30s or 5m", n.Line, n.Value)
	}
	*d = Duration(v)
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (d Duration) MarshalYAML() (any, error) { return time.Duration(d).String(), nil }

// IsZero lets omitempty leave out what isn't set.
func (d Duration) IsZero() bool { return d == 0 }

// Defaults of what the file leaves out.
const (
	DefaultLease       = 30 * time.Second
	DefaultEvery       = 10 * time.Second
	DefaultPropagation = 30 * time.Second
	DefaultDarkHeader  = "x-butai-dark"
	defaultMinimum     = 50
	defaultErrorRate   = 1
	defaultLatency     = 1.5
)

// Parse reads butai.yaml. A member that it doesn't know is an error.
func Parse(text []byte) (*File, error) {
	f := &File{Propagation: Duration(DefaultPropagation)}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(f); err != nil {
		return nil, err
	}
	if f.Lease == 0 {
		f.Lease = Duration(DefaultLease)
	}
	f.DarkHeader = orDefault(f.DarkHeader, DefaultDarkHeader)
	if f.Gates.Every == 0 {
		f.Gates.Every = Duration(DefaultEvery)
	}
	if m := f.Gates.Metrics; m != nil {
		m.MinimumRequests = orDefault(m.MinimumRequests, defaultMinimum)
		m.ErrorRate = orDefault(m.ErrorRate, defaultErrorRate)
		m.Latency = orDefault(m.Latency, defaultLatency)
	}
	for i := range f.Checks {
		c := &f.Checks[i]
		c.Method = orDefault(c.Method, "GET")
		c.Expect.Status = orDefault(c.Expect.Status, 200)
	}
	return f, f.validate()
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

var (
	variableForm = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	recordsForm  = regexp.MustCompile(`^([A-Za-z0-9_.-]{3,255}|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()/-]*)?)$`)
)

// Bucket is the S3 bucket that the records are kept in, and what their keys
// begin with: "" or a prefix that ends in a slash. It is not ok where they are
// in a table.
func (f *File) Bucket() (name, prefix string, ok bool) {
	rest, ok := strings.CutPrefix(f.Records, "s3://")
	if !ok {
		return "", "", false
	}
	name, prefix, _ = strings.Cut(rest, "/")
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return name, prefix, true
}

func (f *File) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if f.API == "" {
		bad("api: the API's id is missing")
	}
	if !recordsForm.MatchString(f.Records) {
		bad("records: want the name of a DynamoDB table, or s3://BUCKET/PREFIX, not %q", f.Records)
	}
	if !variableForm.MatchString(f.Variable) {
		bad("variable: want a stage variable's name, not %q", f.Variable)
	}
	if !slices.Contains([]plan.Pairing{plan.ByVariable, plan.BySnapshot, plan.InOrder}, f.Pairing) {
		bad("pairing: want variable, snapshot or ordered, not %q", f.Pairing)
	}
	if len(f.Functions) == 0 {
		bad("functions: name at least one")
	}
	if len(f.Stages) == 0 {
		bad("stages: name at least one")
	}
	seen := map[string]bool{}
	for i, s := range f.Stages {
		if s.Name == "" || s.Alias == "" {
			bad("stages[%d]: name and alias are needed", i)
		}
		if seen[s.Name] {
			bad("stages[%d]: %s is there twice", i, s.Name)
		}
		seen[s.Name] = true
		if _, err := plan.ParseStrategy(s.Strategy); err != nil {
			bad("stages[%d]: %w", i, err)
		}
	}
	if _, err := plan.ParseStrategy(f.Strategy); err != nil {
		errs = append(errs, err)
	}
	for i, c := range f.Checks {
		if err := c.validate(seen); err != nil {
			bad("checks[%d]: %w", i, err)
		}
	}
	return errors.Join(errs...)
}

func (c *Check) validate(stages map[string]bool) error {
	if c.Name == "" || len(c.Path) == 0 || c.Path[0] != '/' {
		return errors.New("a name, and a path that begins with / are needed")
	}
	for _, s := range c.Stages {
		if !stages[s] {
			return fmt.Errorf("there is no stage %q", s)
		}
	}
	for name, pattern := range c.Expect.Headers {
		if _, err := regexp.Compile(pattern); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	_, err := regexp.Compile(c.Expect.Body)
	return err
}

// Stage returns the stage of a name and the one before it in order, which is
// nil for the first.
func (f *File) Stage(name string) (stage, before *Stage, err error) {
	for i := range f.Stages {
		if f.Stages[i].Name == name {
			if i > 0 {
				before = &f.Stages[i-1]
			}
			return &f.Stages[i], before, nil
		}
	}
	return nil, nil, fmt.Errorf("butai.yaml has no stage %q", name)
}

// StrategyOf is a stage's strategy as it is written.
func (f *File) StrategyOf(s *Stage) string {
	return orDefault(orDefault(s.Strategy, f.Strategy), "all")
}

// Write returns the file as init writes it.
func (f *File) Write() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# yaml-language-server: $schema=" + SchemaName + "\n# How `butai release` moves this API from stage to stage.\n")
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(f); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// Seconds is the duration in seconds.
func (d Duration) Seconds() float64 { return time.Duration(d).Seconds() }

// Package edge is the front door: one http.Handler that looks at a request's
// Host and path and hands it to the AWS APIs, to API Gateway's data plane or
// to the health page. It knows nothing of what stands behind those doors.
package edge

import (
	"cmp"
	"io"
	"net/http"
	"strings"
)

// Gateway is API Gateway's data plane.
type Gateway interface {
	// ServeAPI answers a request for an API named by its id. path is raw and
	// begins with the stage; region is the one that the host names, or "".
	ServeAPI(w http.ResponseWriter, r *http.Request, apiID, region, path string)
	// ServesDomain reports whether host, with or without a port, is a custom
	// domain.
	ServesDomain(host string) bool
	// ServeDomain answers a request whose Host is a custom domain.
	ServeDomain(w http.ResponseWriter, r *http.Request)
}

// FunctionURLs is the data plane of Lambda's function URLs.
type FunctionURLs interface {
	// ServeURL answers a request to the URL of an id. path is raw and begins
	// with a slash.
	ServeURL(w http.ResponseWriter, r *http.Request, id, path string)
}

// Config is what New needs; API and Gateway are required.
type Config struct {
	API     http.Handler // the AWS control APIs: everything that nobody else takes
	Gateway Gateway
	// FunctionURLs answers hosts {id}.lambda-url.… and paths below
	// /_aws/lambda-url/; nil if there are none.
	FunctionURLs FunctionURLs
	// Traces serves TracesPath; nil if nothing is traced.
	Traces http.Handler
	// Faults serves FaultsPath; nil if none can be injected.
	Faults http.Handler
	// Registry answers the requests that IsRegistry takes for those of a
	// container registry; nil if there is none.
	Registry   http.Handler
	IsRegistry func(*http.Request) bool
	// Debug serves DebugPath; nil if functions can't be debugged.
	Debug http.Handler
	// Ready reports whether the server is ready; nil means always.
	Ready func() bool
}

const (
	// HealthPath answers 200 when the server is ready and 503 before.
	HealthPath = "/_butai/health"
	// TracesPath and what is below it tells of the gateway's requests.
	TracesPath = "/_butai/traces"
	// FaultsPath lets versions of functions fail on purpose.
	FaultsPath = "/_butai/faults"
	// DebugPath runs functions under a debugger.
	DebugPath = "/_butai/debug"

	executePrefix  = "/_aws/execute-api/"
	restAPIsPrefix = "/restapis/"
	userRequest    = "_user_request_"
	executeLabel   = ".execute-api."
	awsDomain      = "amazonaws.com"

	urlPrefix = "/_aws/lambda-url/"
	urlLabel  = ".lambda-url."
)

// New returns the front door.
func New(cfg Config) http.Handler { return &door{cfg} }

type door struct{ Config }

// ServeHTTP decides by host first, as DNS would, then by path.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, region, ok := executeHost(r.Host); ok {
		d.Gateway.ServeAPI(w, withClientSpelling(r), id, region, escapedPath(r))
		return
	}
	if id, path, ok := functionURL(r); ok && d.FunctionURLs != nil {
		d.FunctionURLs.ServeURL(w, r, id, path)
		return
	}
	if d.Gateway.ServesDomain(r.Host) {
		d.Gateway.ServeDomain(w, withClientSpelling(r))
		return
	}
	if d.Registry != nil && d.IsRegistry(r) {
		d.Registry.ServeHTTP(w, r)
		return
	}
	switch path := r.URL.Path; {
	case path == HealthPath:
		d.health(w, r)
		return
	case d.Traces != nil && (path == TracesPath || strings.HasPrefix(path, TracesPath+"/")):
		d.Traces.ServeHTTP(w, r)
		return
	case d.Faults != nil && path == FaultsPath:
		d.Faults.ServeHTTP(w, r)
		return
	case d.Debug != nil && path == DebugPath:
		d.Debug.ServeHTTP(w, r)
		return
	case strings.HasPrefix(path, executePrefix), strings.HasPrefix(path, restAPIsPrefix):
		if id, rest, ok := executePath(escapedPath(r)); ok {
			d.Gateway.ServeAPI(w, withClientSpelling(r), id, "", rest)
			return
		}
	}
	d.API.ServeHTTP(w, r)
}

func escapedPath(r *http.Request) string { return cmp.Or(r.URL.EscapedPath(), "/") }

// executeHost reads {id}.execute-api.{region}.amazonaws.com, which is AWS's
// own form, and {id}.execute-api.{anything}, which needs no DNS of AWS's:
// {id}.execute-api.localhost resolves to this machine.
func executeHost(host string) (id, region string, ok bool) {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	id, rest, ok := strings.Cut(name, executeLabel)
	if !ok || id == "" || strings.Contains(id, ".") {
		return "", "", false
	}
	region, domain, _ := strings.Cut(strings.TrimSuffix(rest, "."), ".")
	if domain != awsDomain && domain != awsDomain+".cn" {
		region = ""
	}
	return id, region, rest != ""
}

// APIOfHost is the id of the API whose own host a name is.
func APIOfHost(host string) (id string, ok bool) {
	id, _, ok = executeHost(host)
	return id, ok
}

// functionURL reads {id}.lambda-url.{region}.on.aws, which is AWS's own form,
// the same before any other domain, and the path /_aws/lambda-url/{id}/….
func functionURL(r *http.Request) (id, path string, ok bool) {
	name, _, _ := strings.Cut(strings.ToLower(r.Host), ":")
	if id, rest, ok := strings.Cut(name, urlLabel); ok && id != "" && rest != "" && !strings.Contains(id, ".") {
		return id, escapedPath(r), true
	}
	after, ok := strings.CutPrefix(r.URL.EscapedPath(), urlPrefix)
	if !ok {
		return "", "", false
	}
	id, path, _ = strings.Cut(after, "/")
	return id, "/" + path, id != ""
}

// executePath reads /_aws/execute-api/{id}/{stage}/… and
// /restapis/{id}/{stage}/_user_request_/…. The latter's other paths are the
// control API. rest is the path that the API's own host would be asked for.
func executePath(path string) (id, rest string, ok bool) {
	if after, ok := strings.CutPrefix(path, executePrefix); ok {
		id, stageAndPath, _ := strings.Cut(after, "/")
		return id, "/" + stageAndPath, id != ""
	}
	after, ok := strings.CutPrefix(path, restAPIsPrefix)
	if !ok {
		return "", "", false
	}
	id, after, _ = strings.Cut(after, "/")
	stage, after, ok := strings.Cut(after, "/")
	if !ok || id == "" || stage == "" {
		return "", "", false
	}
	marker, path, more := strings.Cut(after, "/")
	if marker != userRequest {
		return "", "", false
	}
	rest = "/" + stage
	if more {
		rest += "/" + path
	}
	return id, rest, true
}

func (d *door) health(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	status, body := http.StatusOK, `{"status":"ready"}`
	if d.Ready != nil && !d.Ready() {
		status, body = http.StatusServiceUnavailable, `{"status":"starting"}`
	}
	w.WriteHeader(status)
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, body+"\n") // a prober that has gone needs no answer
	}
}

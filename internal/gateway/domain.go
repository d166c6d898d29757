package gateway

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// noBasePath is how an empty base path is stored and shown (API reference,
// "BasePathMapping").
const noBasePath = "(none)"

// domain is a compiled DomainName.
type domain struct {
	region   string
	rules    []routingRule // by priority; before the mappings
	mappings []mappedPath  // longest base path first
	tls      DomainTLS
	private  *privateDomain // nil for a public domain
	strict   bool           // see sameHost
}

// mappedPath is a base path and what it stands for; an empty stage means that
// the next segment of the request path names it.
type mappedPath struct {
	basePath, apiID, stage string
}

func compileDomain(d *DomainName) (*domain, error) {
	private, err := compilePrivate(d.Private)
	if err != nil {
		return nil, fmt.Errorf("custom domain %s: %w", d.Name, err)
	}
	compiled := &domain{region: d.Region, tls: compileDomainTLS(d), private: private, strict: d.Strict}
	if byRules(d.RoutingMode) {
		compiled.rules = compileRules(d.RoutingRules)
	}
	if byMappings(d.RoutingMode) {
		compiled.mappings = compileBasePaths(d.Mappings)
	}
	return compiled, nil
}

func compileBasePaths(mappings []apigatewayapi.BasePathMapping) []mappedPath {
	compiled := make([]mappedPath, 0, len(mappings))
	for _, m := range mappings {
		path := wire.Val(m.BasePath)
		if path == noBasePath {
			path = ""
		}
		compiled = append(compiled, mappedPath{path, wire.Val(m.RestApiId), wire.Val(m.Stage)})
	}
	slices.SortFunc(compiled, func(a, b mappedPath) int {
		return cmp.Or(cmp.Compare(len(b.basePath), len(a.basePath)), cmp.Compare(a.basePath, b.basePath))
	})
	return compiled
}

// resolve finds the stage for a request: by the first rule that matches, else
// by the longest base path.
func (d *domain) resolve(r *http.Request) (Target, bool) {
	path := r.URL.EscapedPath()
	for i := range d.rules {
		if t, ok := d.rules[i].target(r, path); ok {
			return t, true
		}
	}
	for _, m := range d.mappings {
		rest, ok := cutBasePath(path, m.basePath)
		if !ok {
			continue
		}
		t := Target{APIID: m.apiID, Stage: m.stage, Path: rest, BasePath: m.basePath, RequestPath: path, Custom: true}
		if t.Stage == "" {
			t.Stage, t.Path = splitStage(rest)
		}
		return t, true
	}
	return Target{}, false
}

// cutBasePath returns what follows the base path, beginning with a slash.
func cutBasePath(path, basePath string) (string, bool) {
	if basePath == "" {
		return path, true
	}
	rest, ok := strings.CutPrefix(path, "/"+basePath)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return cmp.Or(rest, "/"), true
}

// splitStage cuts the stage off a raw path. Doubled slashes before and behind
// it do not count (recorded: //stage/x and /stage//x are served like /stage/x).
func splitStage(path string) (stage, rest string) {
	path = oneSlash(path)
	end := strings.IndexByte(path[1:], '/')
	if end < 0 {
		return path[1:], "/"
	}
	return path[1 : end+1], oneSlash(path[end+1:])
}

// oneSlash makes one slash of however many a path begins with.
func oneSlash(path string) string {
	n := len(path) - len(strings.TrimLeft(path, "/"))
	if n == 0 {
		return "/" + path
	}
	return path[n-1:]
}

// domainOf finds the custom domain for a host (with or without a port): its
// own, or the one with a wildcard in place of the first label.
func (g *Gateway) domainOf(host string) *domain {
	domains := g.tables.Load().domains
	if len(domains) == 0 {
		return nil
	}
	name := hostKey(host)
	if d := domains[name]; d != nil {
		return d
	}
	if _, parent, ok := strings.Cut(name, "."); ok {
		return domains["*."+parent]
	}
	return nil
}

// ServesDomain reports whether host (with or without a port) is a custom
// domain's name.
func (g *Gateway) ServesDomain(host string) bool { return g.domainOf(host) != nil }

// ServeDomain answers a request whose Host is a custom domain, by the domain's
// routing rules and base path mappings; 403 if none matches, if the domain
// trusts clients by certificate and doesn't trust this one, or if it is private
// and no VPC endpoint is associated with it.
func (g *Gateway) ServeDomain(w http.ResponseWriter, r *http.Request) {
	var t Target
	if d := g.domainOf(r.Host); d != nil {
		if d.tls.admits(r, g.clock.Now()) && d.private.reachable() && (!d.strict || sameHost(r)) {
			t, _ = d.resolve(r)
			t.enter(d.private)
			if d.tls.Mutual {
				t.ClientCert = r.TLS.PeerCertificates[0]
			}
		}
		t.Region = d.region
	}
	t.DomainName = hostKey(r.Host)
	g.ServeStage(w, r, t)
}

// ServeAPI answers a request that names an API by its id, behind which may be
// that of a VPC endpoint, as in the names of private APIs. path is raw, as the
// client would send it to the API's own host: the stage is its first segment.
// region is the one in the host's name, or "".
func (g *Gateway) ServeAPI(w http.ResponseWriter, r *http.Request, apiID, region, path string) {
	// $context.path keeps doubled slashes behind the stage, but none before it
	// (recorded).
	t := Target{Region: region, RequestPath: oneSlash(path)}
	t.APIID, t.VPCEndpoint = splitEndpoint(apiID)
	t.Stage, t.Path = splitStage(path)
	if host := hostKey(r.Host); strings.HasPrefix(host, strings.ToLower(apiID)+".") {
		t.DomainName = host
	}
	g.ServeStage(w, r, t)
}

// splitEndpoint reads {api}-{vpce}, the first label of a private API's name
// ("How to invoke a private API"). There are no VPCs here: whoever uses the
// name comes through the endpoint.
func splitEndpoint(label string) (apiID, endpoint string) {
	const prefix = "vpce-"
	if api, id, ok := strings.Cut(label, "-"+prefix); ok {
		return api, prefix + id
	}
	return label, ""
}

// hostKey is a host name without port, in lower case.
func hostKey(host string) string {
	return strings.ToLower(strings.TrimSuffix(withoutPort(host), "."))
}

func withoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return host
}

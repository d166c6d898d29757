package gateway

import (
	"crypto/tls"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
)

// minVersion is the oldest version of TLS that a security policy of an API or
// of a custom domain allows.
func minVersion(policy string) uint16 {
	switch {
	case policy == apigatewayapi.SecurityPolicyTLS10:
		return tls.VersionTLS10
	case strings.HasPrefix(policy, "SecurityPolicy_TLS13_1_3"), policy == apigatewayapi.SecurityPolicySecurityPolicyTLS132025EDGE:
		return tls.VersionTLS13
	}
	return tls.VersionTLS12
}

// APIMinVersion is the oldest version of TLS that the own host of an API
// speaks; false if no deployment of it says. The strictest of its stages
// decides: which one a client wants shows after the handshake.
func (g *Gateway) APIMinVersion(apiID string) (version uint16, ok bool) {
	apiID, _ = splitEndpoint(apiID)
	for at, st := range g.tables.Load().stages {
		if at.apiID == apiID && st.securityPolicy != "" {
			version, ok = max(version, minVersion(st.securityPolicy)), true
		}
	}
	return version, ok
}

// sameHost reports whether a request asks for the host that its TLS handshake
// named, as the endpoint access mode STRICT wants ("Security policies for REST
// APIs in API Gateway"). Without TLS there is nothing to compare.
func sameHost(r *http.Request) bool {
	return r.TLS == nil || hostKey(r.Host) == strings.ToLower(r.TLS.ServerName)
}

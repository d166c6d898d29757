package gateway

import (
	"net"
	"net/http"
	"net/url"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// There is no VPC behind butai: where a link's load balancer listens is told
// at the start (butai serve --vpc-link).

// vpcLink returns the address behind the link that an integration names by
// its id. target is the load balancer that it means, "" if the link has one.
func (st *stage) vpcLink(id, target string) (*url.URL, *failure) {
	link, ok := st.links[id]
	if !ok {
		return nil, configurationError("Invalid VPC link identifier: " + id)
	}
	if status := wire.Val(link.Status); status != apigatewayapi.VpcLinkStatusAVAILABLE {
		return nil, configurationError("VPC link " + id + " is " + status)
	}
	keys := append([]string{target, id, wire.Val(link.Name)}, link.TargetArns...)
	for _, key := range keys {
		if address, ok := st.backends.links[key]; ok {
			return address, nil
		}
	}
	flag := "start butai with --vpc-link " + wire.Val(link.Name) + "=http://host:port, or with the link's id or its load balancer's ARN before the ="
	return nil, (&failure{status: http.StatusNotImplemented, errorType: "NotImplementedException", message: "VPC link " + id + " leads nowhere: " + flag}).
		because("Execution failed: nobody told butai where VPC link " + id + " leads").fixedBy("S" + flag[1:] + ".")
}

// linkAddress is the host and port to connect to.
func linkAddress(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	port := "80"
	if u.Scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

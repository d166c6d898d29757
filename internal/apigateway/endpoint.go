package apigateway

import (
	"slices"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// defaultEndpoint fills in an endpoint configuration's defaults and checks it
// (recorded; API Reference, "EndpointConfiguration"). It returns a copy.
func defaultEndpoint(in *apigatewayapi.EndpointConfiguration) (*apigatewayapi.EndpointConfiguration, error) {
	out := &apigatewayapi.EndpointConfiguration{}
	if in != nil {
		*out = *in
	}
	switch {
	case out.Types == nil:
		out.Types = []string{apigatewayapi.EndpointTypeEDGE}
	case len(out.Types) == 0:
		return nil, badRequest("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
	case len(out.Types) > 1:
		return nil, badRequest("Cannot create an api with multiple Endpoint Types.")
	}
	private := out.Types[0] == apigatewayapi.EndpointTypePRIVATE
	if out.IpAddressType == nil {
		out.IpAddressType = wire.Ptr(apigatewayapi.IpAddressTypeIpv4)
		if private {
			out.IpAddressType = wire.Ptr(apigatewayapi.IpAddressTypeDualstack)
		}
	}
	if private && *out.IpAddressType != apigatewayapi.IpAddressTypeDualstack {
		return nil, badRequest("Only dualstack ipAddressType is supported for Private APIs.")
	}
	return out, checkVPCEndpoints(out)
}

// checkVPCEndpoints refuses VPC endpoints of what isn't private (measured).
func checkVPCEndpoints(e *apigatewayapi.EndpointConfiguration) error {
	if len(e.VpcEndpointIds) > 0 && !isPrivate(e) {
		return badRequest("VPCEndpoints can only be specified with PRIVATE apis.")
	}
	return nil
}

func isPrivate(e *apigatewayapi.EndpointConfiguration) bool {
	return e != nil && slices.Contains(e.Types, apigatewayapi.EndpointTypePRIVATE)
}

// patchEndpointType changes the one endpoint type; the path names the old one
// or its position.
func patchEndpointType(e *apigatewayapi.EndpointConfiguration, op patchOp) error {
	if op.op != "replace" {
		return badRequest("Cannot create an api with multiple Endpoint Types.")
	}
	valid := []string{apigatewayapi.EndpointTypeREGIONAL, apigatewayapi.EndpointTypeEDGE, apigatewayapi.EndpointTypePRIVATE}
	if err := oneOf("EndpointTypes", op.text(), valid...); err != nil {
		return err
	}
	e.Types = []string{op.text()}
	if op.text() == apigatewayapi.EndpointTypePRIVATE {
		e.IpAddressType = wire.Ptr(apigatewayapi.IpAddressTypeDualstack)
	}
	return nil
}

func patchIPAddressType(e *apigatewayapi.EndpointConfiguration, op patchOp) error {
	switch op.text() {
	case apigatewayapi.IpAddressTypeDualstack:
	case apigatewayapi.IpAddressTypeIpv4:
		if slices.Contains(e.Types, apigatewayapi.EndpointTypePRIVATE) {
			return badRequest("Only dualstack ipAddressType is supported for Private APIs.")
		}
	default:
		return badRequest("ipAddressType must be either ipv4 or dualstack.")
	}
	e.IpAddressType = op.value
	return nil
}

func patchVPCEndpoint(e *apigatewayapi.EndpointConfiguration, op patchOp) error {
	e.VpcEndpointIds = slices.DeleteFunc(e.VpcEndpointIds, func(id string) bool { return id == op.text() })
	if op.op == "add" {
		e.VpcEndpointIds = append(e.VpcEndpointIds, op.text())
	}
	return checkVPCEndpoints(e)
}

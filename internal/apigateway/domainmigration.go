package apigateway

import (
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// A public custom domain moves between the types of endpoint in two calls: one
// adds the other type and its certificate, a later one removes the first type
// (developer guide, "Migrate a custom domain name to a different API endpoint
// type in API Gateway"). Meanwhile it has both, and the addresses of both.

// rooted gives the slash to paths that lack it, as that guide's do.
func rooted(ops []apigatewayapi.PatchOperation) []apigatewayapi.PatchOperation {
	ops = slices.Clone(ops)
	for i := range ops {
		if p := ops[i].Path; p != nil && !strings.HasPrefix(*p, "/") {
			ops[i].Path = wire.Ptr("/" + *p)
		}
	}
	return ops
}

// patchDomainType adds or removes a type of endpoint.
func patchDomainType(d *apigatewayapi.DomainName, op patchOp) error {
	if err := oneOf("EndpointTypes", op.text(), apigatewayapi.EndpointTypeREGIONAL, apigatewayapi.EndpointTypeEDGE, apigatewayapi.EndpointTypePRIVATE); err != nil {
		return err
	}
	types := slices.DeleteFunc(slices.Clone(d.EndpointConfiguration.Types), func(t string) bool { return t == op.text() })
	if op.op == "add" {
		types = append(types, op.text())
	}
	slices.Sort(types) // the edge comes first
	d.EndpointConfiguration.Types = types
	return nil
}

// checkMigration checks how a call changed a domain's types of endpoint. The
// words for two changes at a time were measured.
func checkMigration(before, after *apigatewayapi.DomainName) error {
	had, have := before.EndpointConfiguration.Types, after.EndpointConfiguration.Types
	lost := slices.DeleteFunc(slices.Clone(had), func(t string) bool { return slices.Contains(have, t) })
	won := slices.DeleteFunc(slices.Clone(have), func(t string) bool { return slices.Contains(had, t) })
	both := len(had) > 1 || len(have) > 1
	switch {
	case !slices.Equal(had, have) && slices.Contains(slices.Concat(had, have), apigatewayapi.EndpointTypePRIVATE):
		return badRequest("A custom domain name can't be changed from public to private, or back.")
	case len(have) == 0:
		return badRequest("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
	case len(lost) > 0 && len(won) > 0:
		return badRequest("Can only perform one update operation at a time. Request would delete %s endpoint, create %s endpoint", strings.ToLower(lost[0]), strings.ToLower(won[0]))
	case len(won) > 0 && wire.Val(before.EndpointAccessMode) == apigatewayapi.EndpointAccessModeSTRICT:
		return badRequest("An endpoint type can only be added while the endpoint access mode is BASIC.")
	case both && len(had) == len(have) && wire.Val(before.EndpointAccessMode) != wire.Val(after.EndpointAccessMode):
		return badRequest("The endpoint access mode can't be changed while the domain name has two endpoint types.")
	}
	return nil
}

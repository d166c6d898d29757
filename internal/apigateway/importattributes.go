package apigateway

import (
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// attributes merges the document's attributes into the API's.
func (im *importer) attributes() error {
	a, d := im.api, &im.doc.RestApi
	if wire.Val(d.Name) != "" {
		a.Name = d.Name
	}
	for _, f := range []struct{ to, from **string }{
		{&a.Description, &d.Description}, {&a.Version, &d.Version}, {&a.ApiKeySource, &d.ApiKeySource},
	} {
		if *f.from != nil {
			*f.to = *f.from
		}
	}
	for _, t := range d.BinaryMediaTypes {
		if err := patchBinaryType(&apiEdit{scope: im.scope, RestApi: a}, patchOp{op: "add", key: t}); err != nil {
			return err
		}
	}
	if d.DisableExecuteApiEndpoint != nil {
		a.DisableExecuteApiEndpoint = d.DisableExecuteApiEndpoint
	}
	if d.MinimumCompressionSize != nil {
		a.MinimumCompressionSize = d.MinimumCompressionSize
		if n := *d.MinimumCompressionSize; n < 0 || n > maxCompressionSize {
			if err := im.fault("", badCompressionSize()); err != nil {
				return err
			}
		}
	}
	if err := im.fault("", oneOf("ApiKeySource", *a.ApiKeySource, apigatewayapi.ApiKeySourceTypeHEADER, apigatewayapi.ApiKeySourceTypeAUTHORIZER)); err != nil {
		return err
	}
	if d.Policy != nil {
		policy, err := storePolicy(im.scope, *a.Id, d.Policy, im.svc.Principals)
		if err := im.fault("", err); err != nil {
			return err
		}
		a.Policy = policy
	}
	if err := im.fault("", im.endpoint()); err != nil {
		return err
	}
	if err := im.fault("", im.security()); err != nil {
		return err
	}
	return apis.Put(im.tx, a, im.id()...)
}

// security merges the security policy and the access mode.
func (im *importer) security() error {
	policy, mode := im.api.SecurityPolicy, im.api.EndpointAccessMode
	if p := im.doc.SecurityPolicy; p != nil {
		if err := patchSecurityPolicy(&policy, patchOp{value: p}); err != nil {
			return err
		}
	}
	if m := im.doc.EndpointAccessMode; m != nil {
		if err := patchAccessMode(&mode, patchOp{value: m}); err != nil {
			return err
		}
	}
	return setSecurity(im.api, policy, mode)
}

// endpoint merges the endpoint configuration.
func (im *importer) endpoint() error {
	d := im.doc.EndpointConfiguration
	if d == nil {
		return nil
	}
	merged := *im.api.EndpointConfiguration
	if d.Types != nil {
		merged.Types, merged.IpAddressType = d.Types, nil
		for _, kind := range d.Types {
			valid := []string{apigatewayapi.EndpointTypeREGIONAL, apigatewayapi.EndpointTypeEDGE, apigatewayapi.EndpointTypePRIVATE}
			if err := oneOf("EndpointTypes", kind, valid...); err != nil {
				return err
			}
		}
	}
	if d.IpAddressType != nil {
		merged.IpAddressType = d.IpAddressType
	}
	if d.VpcEndpointIds != nil {
		merged.VpcEndpointIds = d.VpcEndpointIds
	}
	checked, err := defaultEndpoint(&merged)
	if err == nil {
		im.api.EndpointConfiguration = checked
	}
	return err
}

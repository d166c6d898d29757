package apigateway

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// PutIntegration gives a method its integration. Integration responses of an
// earlier one are gone.
func (s *Service) PutIntegration(ctx context.Context, in *apigatewayapi.PutIntegrationRequest) (*apigatewayapi.Integration, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	i := &apigatewayapi.Integration{
		Type: in.Type, HttpMethod: nonEmpty(in.IntegrationHttpMethod), Uri: nonEmpty(in.Uri), ConnectionType: nonEmpty(in.ConnectionType), ConnectionId: nonEmpty(in.ConnectionId), TlsConfig: in.TlsConfig,
		Credentials: nonEmpty(in.Credentials), RequestParameters: in.RequestParameters, RequestTemplates: in.RequestTemplates,
		PassthroughBehavior: in.PassthroughBehavior, ContentHandling: in.ContentHandling, TimeoutInMillis: in.TimeoutInMillis,
		CacheNamespace: nonEmpty(in.CacheNamespace), CacheKeyParameters: in.CacheKeyParameters, ResponseTransferMode: nonEmpty(in.ResponseTransferMode),
		IntegrationTarget: nonEmpty(in.IntegrationTarget),
	}
	integrationDefaults(i, in.ResourceId)
	m, err := s.editMethod(ctx, at, func(r store.ReadTx, m *apigatewayapi.Method) error {
		m.MethodIntegration = i
		return cmp.Or(s.checkIntegration(r, at.scope, i), checkForwarding(m), checkSources(m), checkCacheKeys(m))
	})
	if err != nil {
		return nil, err
	}
	return m.MethodIntegration, nil
}

// integrationDefaults fills in what an integration of a resource leaves out.
func integrationDefaults(i *apigatewayapi.Integration, resourceID *string) {
	if i.PassthroughBehavior == nil {
		i.PassthroughBehavior = wire.Ptr("WHEN_NO_MATCH")
	}
	if i.TimeoutInMillis == nil {
		i.TimeoutInMillis = wire.Ptr[int64](maxTimeout)
	}
	if i.CacheNamespace == nil {
		i.CacheNamespace = resourceID
	}
	if i.CacheKeyParameters == nil {
		i.CacheKeyParameters = []string{}
	}
	switch kind := wire.Val(i.Type); { // the others have none (recorded)
	case kind == apigatewayapi.IntegrationTypeMOCK:
		i.Uri = nil // what is given is forgotten (recorded)
	case i.ConnectionType != nil:
	case kind == apigatewayapi.IntegrationTypeHTTP, kind == apigatewayapi.IntegrationTypeHTTPPROXY:
		i.ConnectionType = wire.Ptr(apigatewayapi.ConnectionTypeINTERNET)
	}
}

// What follows "lambda:path" in the addresses of Lambda's Invoke and
// InvokeWithResponseStream.
// GetIntegration returns a method's integration.
func (s *Service) GetIntegration(ctx context.Context, in *apigatewayapi.GetIntegrationRequest) (*apigatewayapi.Integration, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Integration, error) { return getIntegration(r, at) })
}

func getIntegration(r store.ReadTx, at methodID) (*apigatewayapi.Integration, error) {
	m, err := getMethod(r, at)
	if err != nil {
		return nil, err
	}
	if m.MethodIntegration == nil {
		return nil, noIntegration()
	}
	return m.MethodIntegration, nil
}

// editIntegration changes the integration of a method that has one, and returns it.
func (s *Service) editIntegration(ctx context.Context, at methodID, edit func(store.ReadTx, *apigatewayapi.Method) error) (*apigatewayapi.Integration, error) {
	m, err := s.editMethod(ctx, at, func(r store.ReadTx, m *apigatewayapi.Method) error {
		if m.MethodIntegration == nil {
			return noIntegration()
		}
		return edit(r, m)
	})
	if err != nil {
		return nil, err
	}
	return m.MethodIntegration, nil
}

var integrationPatch = patchTable[apigatewayapi.Integration]{rows: []patchRow[apigatewayapi.Integration]{
	called("/uri", func(i *apigatewayapi.Integration) **string { return &i.Uri }),
	called("/httpMethod", func(i *apigatewayapi.Integration) **string { return &i.HttpMethod }),
	textRow("/credentials", func(i *apigatewayapi.Integration) **string { return &i.Credentials }),
	{"/passthroughBehavior", replaceOnly, func(i *apigatewayapi.Integration, op patchOp) error {
		i.PassthroughBehavior = wire.Ptr(op.text())
		return nil
	}},
	{"/timeoutInMillis", replaceOnly, func(i *apigatewayapi.Integration, op patchOp) error {
		n, err := strconv.ParseInt(op.text(), 10, 64)
		i.TimeoutInMillis = &n
		if err != nil {
			return badRequest("Timeout should be between 50 ms and %d ms", maxTimeout)
		}
		return nil
	}},
	textRow("/connectionType", func(i *apigatewayapi.Integration) **string { return &i.ConnectionType }),
	textRow("/connectionId", func(i *apigatewayapi.Integration) **string { return &i.ConnectionId }),
	textRow("/integrationTarget", func(i *apigatewayapi.Integration) **string { return &i.IntegrationTarget }),
	textRow("/contentHandling", func(i *apigatewayapi.Integration) **string { return &i.ContentHandling }),
	{"/tlsConfig/insecureSkipVerification", replaceOnly, func(i *apigatewayapi.Integration, op patchOp) error {
		i.TlsConfig = &apigatewayapi.TlsConfig{InsecureSkipVerification: wire.Ptr(op.isTrue())}
		return nil
	}},
	textRow("/responseTransferMode", func(i *apigatewayapi.Integration) **string { return &i.ResponseTransferMode }),
	textRow("/cacheNamespace", func(i *apigatewayapi.Integration) **string { return &i.CacheNamespace }),
	mapRow("/requestTemplates", func(i *apigatewayapi.Integration) *map[string]string { return &i.RequestTemplates },
		"Content-Type specified was not found", patchText[apigatewayapi.Integration]),
	mapRow("/requestParameters", func(i *apigatewayapi.Integration) *map[string]string { return &i.RequestParameters },
		"Invalid parameter name specified", patchText[apigatewayapi.Integration]),
	{"/cacheKeyParameters/{}", anyEdit, func(i *apigatewayapi.Integration, op patchOp) error {
		i.CacheKeyParameters = slices.DeleteFunc(i.CacheKeyParameters, func(p string) bool { return p == op.key })
		switch op.op {
		case "add":
			i.CacheKeyParameters = append(i.CacheKeyParameters, op.key)
		case "replace":
			i.CacheKeyParameters = append(i.CacheKeyParameters, op.text())
		}
		return nil
	}},
}}

// called is a textRow of what MOCK integrations, which call nobody, don't have
// (API Reference, "UpdateIntegration").
func called(path string, field func(*apigatewayapi.Integration) **string) patchRow[apigatewayapi.Integration] {
	row := textRow(path, field)
	set := row.apply
	row.apply = func(i *apigatewayapi.Integration, op patchOp) error {
		if *i.Type == apigatewayapi.IntegrationTypeMOCK {
			return badRequest("Invalid patch path %s", op.path)
		}
		return set(i, op)
	}
	return row
}

// UpdateIntegration changes an integration.
func (s *Service) UpdateIntegration(ctx context.Context, in *apigatewayapi.UpdateIntegrationRequest) (*apigatewayapi.Integration, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	return s.editIntegration(ctx, at, func(r store.ReadTx, m *apigatewayapi.Method) error {
		i := m.MethodIntegration
		if err := integrationPatch.apply(i, in.PatchOperations); err != nil {
			return err
		}
		if i.CacheNamespace == nil {
			i.CacheNamespace = in.ResourceId
		}
		return cmp.Or(s.checkIntegration(r, at.scope, i), checkForwarding(m), checkSources(m), checkCacheKeys(m))
	})
}

// DeleteIntegration takes a method's integration away.
func (s *Service) DeleteIntegration(ctx context.Context, in *apigatewayapi.DeleteIntegrationRequest) error {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	_, err := s.editIntegration(ctx, at, func(_ store.ReadTx, m *apigatewayapi.Method) error {
		m.MethodIntegration = nil
		return nil
	})
	return err
}

package apigateway

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/apigateway/openapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// GetExport writes what a stage serves as an OpenAPI document.
func (s *Service) GetExport(ctx context.Context, in *apigatewayapi.GetExportRequest) (*apigatewayapi.ExportResponse, error) {
	sc := scopeOf(ctx)
	format, err := exportFormat(in)
	if err != nil {
		return nil, err
	}
	src, err := view(ctx, s, func(r store.ReadTx) (*openapi.Source, error) {
		return exportSource(r, sc, *in.RestApiId, *in.StageName)
	})
	if err != nil {
		return nil, err
	}
	ending := ".json"
	if format.YAML {
		ending = ".yaml"
	}
	return &apigatewayapi.ExportResponse{
		ContentType:        wire.Ptr("application/octet-stream"),
		ContentDisposition: wire.Ptr(`attachment; filename="` + *in.ExportType + "_" + src.Version() + ending + `"`),
		Body:               openapi.Export(src, format),
	}, nil
}

// exportFormat reads the call's wishes. "apigateway" stands for all
// extensions of API Gateway (API Reference, GetExport, "parameters").
func exportFormat(in *apigatewayapi.GetExportRequest) (openapi.Format, error) {
	f := openapi.Format{YAML: strings.Contains(strings.ToLower(wire.Val(in.Accepts)), "yaml")}
	switch *in.ExportType {
	case "swagger":
		f.Swagger = true
	case "oas30":
	default:
		return f, badRequest("Invalid export type specified: %s", *in.ExportType)
	}
	for extension := range strings.SplitSeq(in.Parameters["extensions"], ",") {
		switch strings.ToLower(strings.TrimSpace(extension)) {
		case "":
		case "integrations":
			f.Integrations = true
		case "authorizers":
			f.Authorizers = true
		case "validators":
			f.Validators = true
		case "gatewayresponses":
			f.GatewayResponses = true
		case "documentation":
			f.Documentation = true
		case "apigateway":
			f.Integrations, f.Authorizers, f.Validators, f.GatewayResponses, f.Documentation = true, true, true, true, true
		case "postman":
			return f, wire.NotBuilt("Postman extensions of an export; Postman imports an export without them")
		default:
			return f, badRequest("Invalid extensions parameter specified: %s", extension)
		}
	}
	return f, nil
}

// exportSource reads what a stage serves, and the documentation that it has.
func exportSource(r store.ReadTx, sc scope, apiID, stageName string) (*openapi.Source, error) {
	if _, err := getAPI(r, sc, apiID); err != nil {
		return nil, err
	}
	st, err := getStage(r, sc, apiID, stageName)
	if err != nil {
		return nil, err
	}
	d, err := find(r, snapshots, noDeployment(), sc.id(apiID, *st.Stage.DeploymentId))
	if err != nil {
		return nil, err
	}
	src := &openapi.Source{
		API: d.API, Resources: d.Resources, Models: d.Models, Authorizers: d.Authorizers,
		RequestValidators: d.RequestValidators, GatewayResponses: d.GatewayResponses,
		Host: apiID + ".execute-api." + sc.Region + ".amazonaws.com", Stage: stageName, Deployed: d.Created,
	}
	if name := wire.Val(st.Stage.DocumentationVersion); name != "" {
		v, err := documentationVersions.Get(r, sc.id(apiID, name)...)
		if err != nil {
			return nil, err
		}
		if v != nil {
			src.Documentation, src.DocumentationVersion = v.Parts, &v.Version
		}
	}
	return src, nil
}

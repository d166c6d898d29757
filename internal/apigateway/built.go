package apigateway

import (
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/wire"
)

// The operations that Service offers; a method with another signature would
// count as not built.
var _ interface {
	apigatewayapi.CreateBasePathMappingAPI
	apigatewayapi.CreateDeploymentAPI
	apigatewayapi.CreateDocumentationPartAPI
	apigatewayapi.CreateDocumentationVersionAPI
	apigatewayapi.CreateDomainNameAPI
	apigatewayapi.CreateDomainNameAccessAssociationAPI
	apigatewayapi.CreateResourceAPI
	apigatewayapi.CreateRestApiAPI
	apigatewayapi.CreateStageAPI
	apigatewayapi.CreateVpcLinkAPI
	apigatewayapi.DeleteBasePathMappingAPI
	apigatewayapi.DeleteClientCertificateAPI
	apigatewayapi.DeleteDeploymentAPI
	apigatewayapi.DeleteDocumentationPartAPI
	apigatewayapi.DeleteDocumentationVersionAPI
	apigatewayapi.DeleteDomainNameAPI
	apigatewayapi.DeleteDomainNameAccessAssociationAPI
	apigatewayapi.DeleteGatewayResponseAPI
	apigatewayapi.DeleteIntegrationAPI
	apigatewayapi.DeleteIntegrationResponseAPI
	apigatewayapi.DeleteMethodAPI
	apigatewayapi.DeleteMethodResponseAPI
	apigatewayapi.DeleteResourceAPI
	apigatewayapi.DeleteRestApiAPI
	apigatewayapi.DeleteStageAPI
	apigatewayapi.DeleteVpcLinkAPI
	apigatewayapi.GenerateClientCertificateAPI
	apigatewayapi.GetAccountAPI
	apigatewayapi.GetBasePathMappingAPI
	apigatewayapi.GetBasePathMappingsAPI
	apigatewayapi.GetClientCertificateAPI
	apigatewayapi.GetClientCertificatesAPI
	apigatewayapi.GetDeploymentAPI
	apigatewayapi.GetDeploymentsAPI
	apigatewayapi.GetDocumentationPartAPI
	apigatewayapi.GetDocumentationPartsAPI
	apigatewayapi.GetDocumentationVersionAPI
	apigatewayapi.GetDocumentationVersionsAPI
	apigatewayapi.GetDomainNameAPI
	apigatewayapi.GetDomainNameAccessAssociationsAPI
	apigatewayapi.GetDomainNamesAPI
	apigatewayapi.GetExportAPI
	apigatewayapi.GetGatewayResponseAPI
	apigatewayapi.GetGatewayResponsesAPI
	apigatewayapi.GetIntegrationAPI
	apigatewayapi.GetIntegrationResponseAPI
	apigatewayapi.GetMethodAPI
	apigatewayapi.GetMethodResponseAPI
	apigatewayapi.GetModelAPI
	apigatewayapi.GetModelsAPI
	apigatewayapi.GetResourceAPI
	apigatewayapi.GetResourcesAPI
	apigatewayapi.GetRestApiAPI
	apigatewayapi.GetRestApisAPI
	apigatewayapi.GetSdkTypeAPI
	apigatewayapi.GetSdkTypesAPI
	apigatewayapi.GetStageAPI
	apigatewayapi.GetStagesAPI
	apigatewayapi.GetTagsAPI
	apigatewayapi.GetVpcLinkAPI
	apigatewayapi.GetVpcLinksAPI
	apigatewayapi.ImportDocumentationPartsAPI
	apigatewayapi.ImportRestApiAPI
	apigatewayapi.PutGatewayResponseAPI
	apigatewayapi.PutIntegrationAPI
	apigatewayapi.PutIntegrationResponseAPI
	apigatewayapi.PutMethodAPI
	apigatewayapi.PutMethodResponseAPI
	apigatewayapi.PutRestApiAPI
	apigatewayapi.RejectDomainNameAccessAssociationAPI
	apigatewayapi.TagResourceAPI
	apigatewayapi.UntagResourceAPI
	apigatewayapi.UpdateAccountAPI
	apigatewayapi.UpdateBasePathMappingAPI
	apigatewayapi.UpdateClientCertificateAPI
	apigatewayapi.UpdateDeploymentAPI
	apigatewayapi.UpdateDocumentationPartAPI
	apigatewayapi.UpdateDocumentationVersionAPI
	apigatewayapi.UpdateDomainNameAPI
	apigatewayapi.UpdateGatewayResponseAPI
	apigatewayapi.UpdateIntegrationAPI
	apigatewayapi.UpdateIntegrationResponseAPI
	apigatewayapi.UpdateMethodAPI
	apigatewayapi.UpdateMethodResponseAPI
	apigatewayapi.UpdateResourceAPI
	apigatewayapi.UpdateRestApiAPI
	apigatewayapi.UpdateStageAPI
	apigatewayapi.UpdateVpcLinkAPI
	wire.Refuser
	wire.IAMNamer
} = (*Service)(nil)

var _ Publisher = (*gateway.Gateway)(nil)

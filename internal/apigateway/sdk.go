package apigateway

import (
	"context"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// sdkTypes are the kinds of SDK that API Gateway generates, with what each
// must be told (API Reference, "SdkType"; developer guide, "Generate SDKs for
// an API"). GetSdk, which would generate one, is not built; see WhyNot.
var sdkTypes = []apigatewayapi.SdkType{
	sdkType("java", "Java", "Generate a Java SDK for your API",
		sdkProperty("service.name", "Service Name", "The service name of your API"),
		sdkProperty("java.package-name", "Java Package Name", "The name of the package under which your code will be generated"),
		sdkOption("java.build-system", "Java Build System", "The build system to generate for. One of maven or gradle"),
		sdkOption("java.group-id", "Java Group Id", "The group ID of the generated client, typically identifies your company or organization"),
		sdkOption("java.artifact-id", "Java Artifact Id", "The name of the generated client library artifact (used in package naming)"),
		sdkOption("java.artifact-version", "Java Artifact Version", "The version identifier of the generated client artifact")),
	sdkType("javascript", "JavaScript", "Generate a JavaScript SDK for your API"),
	sdkType("android", "Android", "Generate an Android SDK for your API",
		sdkProperty("groupId", "Group ID", "The group ID of the generated client, typically identifies your company or organization"),
		sdkProperty("invokerPackage", "Invoker package", "The name of the main package of the generated client code"),
		sdkProperty("artifactId", "Artifact ID", "The name of the generated client library artifact (used in package naming)"),
		sdkProperty("artifactVersion", "Artifact version", "The version identifier of the generated client artifact")),
	sdkType("objectivec", "iOS (Objective-C)", "Generate an iOS SDK in Objective-C for your API", classPrefix()),
	sdkType("swift", "iOS (Swift)", "Generate an iOS SDK in Swift for your API", classPrefix()),
	sdkType("ruby", "Ruby", "Generate a Ruby SDK for your API",
		sdkProperty("service.name", "Service Name", "The service name of your API"),
		sdkOption("ruby.gem-name", "Ruby Gem Name", "The name of the generated gem")),
}

func sdkType(id, name, description string, properties ...apigatewayapi.SdkConfigurationProperty) apigatewayapi.SdkType {
	return apigatewayapi.SdkType{Id: &id, FriendlyName: &name, Description: &description, ConfigurationProperties: properties}
}

func sdkProperty(name, friendly, description string) apigatewayapi.SdkConfigurationProperty {
	return apigatewayapi.SdkConfigurationProperty{Name: &name, FriendlyName: &friendly, Description: &description, Required: wire.Ptr(true)}
}

func sdkOption(name, friendly, description string) apigatewayapi.SdkConfigurationProperty {
	p := sdkProperty(name, friendly, description)
	p.Required = wire.Ptr(false)
	return p
}

func classPrefix() apigatewayapi.SdkConfigurationProperty {
	return sdkProperty("classPrefix", "Prefix", "The prefix of the generated client's classes")
}

// WhyNot implements wire.Explainer.
func (s *Service) WhyNot(op *wire.Operation) string {
	if op.Name == "GetSdk" {
		return "butai doesn't write code; get the API's description with GetExport (exportType oas30) and give it to an OpenAPI generator"
	}
	return ""
}

// GetSdkTypes lists the kinds of SDK.
func (s *Service) GetSdkTypes(_ context.Context, in *apigatewayapi.GetSdkTypesRequest) (*apigatewayapi.SdkTypes, error) {
	all := make([]*apigatewayapi.SdkType, len(sdkTypes))
	for i := range sdkTypes {
		all[i] = &sdkTypes[i]
	}
	items, next, err := pageOf(all, in.Position, in.Limit)
	return &apigatewayapi.SdkTypes{Position: next, Items: values(items)}, err
}

// GetSdkType returns a kind of SDK.
func (s *Service) GetSdkType(_ context.Context, in *apigatewayapi.GetSdkTypeRequest) (*apigatewayapi.SdkType, error) {
	for i := range sdkTypes {
		if *sdkTypes[i].Id == *in.Id {
			return &sdkTypes[i], nil
		}
	}
	return nil, notFound("Invalid SDK type specified: %s", *in.Id)
}

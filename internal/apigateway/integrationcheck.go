package apigateway

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Bounds of an integration's timeout ("Amazon API Gateway quotas").
const (
	minTimeout       = 50
	maxTimeout       = 29_000
	maxStreamTimeout = 900_000 // "Stream the integration response for your proxy integrations in API Gateway"
)

// checkIntegration refuses what API Gateway refuses, and names what the data
// plane can't do.
func (s *Service) checkIntegration(r store.ReadTx, sc scope, i *apigatewayapi.Integration) error {
	kind := *i.Type
	if kind != apigatewayapi.IntegrationTypeMOCK && i.HttpMethod == nil {
		return badRequest("Enumeration value for HttpMethod must be non-empty")
	}
	if i.HttpMethod != nil {
		if err := checkVerb(*i.HttpMethod); err != nil {
			return err
		}
	}
	if err := oneOf("PassthroughBehavior", *i.PassthroughBehavior, "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"); err != nil {
		return err
	}
	if err := checkContentHandling(i.ContentHandling); err != nil {
		return err
	}
	if err := checkTransfer(i); err != nil {
		return err
	}
	if err := checkConnection(r, sc, i); err != nil {
		return err
	}
	if c := wire.Val(i.Credentials); c != "" && !strings.Contains(c, "${") {
		if _, err := arn.Parse(c); err != nil {
			return invalidARN()
		}
	}
	if err := checkMappings(requestSide, i.RequestParameters); err != nil {
		return err
	}
	if err := checkContentTypes(i.RequestTemplates); err != nil {
		return err
	}
	switch kind {
	case apigatewayapi.IntegrationTypeAWS, apigatewayapi.IntegrationTypeAWSPROXY:
		return s.checkServiceURI(sc, i)
	case apigatewayapi.IntegrationTypeHTTP, apigatewayapi.IntegrationTypeHTTPPROXY:
		return checkHTTPURI(wire.Val(i.Uri))
	}
	return nil
}

func streams(i *apigatewayapi.Integration) bool {
	return wire.Val(i.ResponseTransferMode) == apigatewayapi.ResponseTransferModeSTREAM
}

// checkTransfer checks how an answer may come, and how long it may take.
func checkTransfer(i *apigatewayapi.Integration) error {
	longest := int64(maxTimeout)
	if i.ResponseTransferMode != nil {
		if err := oneOf("ResponseTransferMode", *i.ResponseTransferMode, apigatewayapi.ResponseTransferModeBUFFERED, apigatewayapi.ResponseTransferModeSTREAM); err != nil {
			return err
		}
	}
	if streams(i) {
		longest = maxStreamTimeout
		if kind := *i.Type; kind != apigatewayapi.IntegrationTypeAWSPROXY && kind != apigatewayapi.IntegrationTypeHTTPPROXY {
			return badRequest("Response transfer mode STREAM is only supported for integrations of type HTTP_PROXY and AWS_PROXY.")
		}
	}
	if t := *i.TimeoutInMillis; t < minTimeout || t > longest {
		return badRequest("Timeout should be between 50 ms and %d ms", longest)
	}
	return nil
}

// checkHTTPURI checks the address of an HTTP backend, whose host may wait for
// a stage variable.
func checkHTTPURI(uri string) error {
	u, err := url.Parse(strings.NewReplacer("${", "", "{", "", "}", "").Replace(uri))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return badRequest("Invalid HTTP endpoint specified for URI")
	}
	return nil
}

// checkConnection checks that a private integration leads through a link that
// exists. One that a stage variable names is found out about when it is called.
func checkConnection(r store.ReadTx, sc scope, i *apigatewayapi.Integration) error {
	if i.ConnectionType != nil {
		if err := oneOf("ConnectionType", *i.ConnectionType, apigatewayapi.ConnectionTypeINTERNET, apigatewayapi.ConnectionTypeVPCLINK); err != nil {
			return err
		}
	}
	if wire.Val(i.ConnectionType) != apigatewayapi.ConnectionTypeVPCLINK {
		return checkTarget(r, sc, i)
	}
	if kind := *i.Type; kind != apigatewayapi.IntegrationTypeHTTP && kind != apigatewayapi.IntegrationTypeHTTPPROXY {
		return badRequest("Only HTTP and HTTP_PROXY integrations can have a VPC link, not %s", kind)
	}
	if wire.Val(i.ConnectionId) == "" {
		return badRequest("ConnectionId must be specified for connection type VPC_LINK")
	}
	return checkTarget(r, sc, i)
}

func checkContentHandling(strategy *string) error {
	if strategy == nil {
		return nil
	}
	return oneOf("ContentHandling", *strategy, apigatewayapi.ContentHandlingStrategyCONVERTTOBINARY, apigatewayapi.ContentHandlingStrategyCONVERTTOTEXT)
}

var (
	lambdaPath = regexp.MustCompile(`^/?2015-03-31/functions/.+/invocations$`)
	streamPath = regexp.MustCompile(`^/?2021-11-15/functions/.+/response-streaming-invocations$`)
)

// checkServiceURI checks the address of an AWS service:
// arn:aws:apigateway:region:service:path/... or :action/... (API Reference,
// PutIntegration, "uri").
func (s *Service) checkServiceURI(sc scope, i *apigatewayapi.Integration) error {
	a, err := arn.Parse(wire.Val(i.Uri))
	if err != nil {
		return invalidARN()
	}
	style, rest, ok := strings.Cut(a.Resource, "/")
	if !ok || style != "path" && style != "action" { // of whatever service (recorded)
		return badRequest("AWS ARN for integration must contain path or action")
	}
	if a.Service != "apigateway" {
		return invalidARN()
	}
	service := a.Account[strings.LastIndexByte(a.Account, '.')+1:] // the part that is an account in other ARNs
	lambda := service == "lambda" && style == "path"
	switch {
	case lambda && streamPath.MatchString(rest) != streams(i) && *i.Type == apigatewayapi.IntegrationTypeAWSPROXY:
		return badRequest("Response transfer mode STREAM needs the address of InvokeWithResponseStream, and BUFFERED that of Invoke.")
	case lambda && (lambdaPath.MatchString(rest) || streams(i)):
		return nil
	case *i.Type == apigatewayapi.IntegrationTypeAWSPROXY && service != "lambda" && service != "firehose":
		return badRequest("Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.")
	case *i.Type == apigatewayapi.IntegrationTypeAWSPROXY, !s.Services.Serves(service):
		return wire.NotBuilt("%s integrations with %s:%s", *i.Type, service, a.Resource)
	}
	return checkRole(sc, wire.Val(i.Credentials))
}

// checkRole checks the role that an AWS service is called as (known from
// other implementations' tests against AWS).
func checkRole(sc scope, credentials string) error {
	switch role, err := arn.Parse(credentials); {
	case credentials == "":
		return badRequest("Role ARN must be specified for AWS integrations")
	case strings.Contains(credentials, "${"):
		return nil
	case strings.Contains(credentials, "*"):
		return nil // see checkForwarding
	case err == nil && role.Service == "iam" && role.Account != sc.Account:
		return &wire.Error{Code: "AccessDeniedException", Status: 403, Message: "Cross-account pass role is not allowed."}
	}
	return nil
}

// checkForwarding checks that a method whose integration calls as the signer
// has one (measured).
func checkForwarding(m *apigatewayapi.Method) error {
	if strings.Contains(wire.Val(m.MethodIntegration.Credentials), "*") && *m.AuthorizationType != authIAM {
		return badRequest("AWS_IAM Auth type is required for AWS integrations with identity forwarding specified")
	}
	return nil
}

// checkCacheKeys checks that what a method is cached by is declared: by the
// method, or as what its integration maps (API Reference, PutIntegration,
// "cacheKeyParameters"; the text is known from clients).
func checkCacheKeys(m *apigatewayapi.Method) error {
	for _, key := range m.MethodIntegration.CacheKeyParameters {
		_, declared := m.RequestParameters[key]
		if _, mapped := m.MethodIntegration.RequestParameters[key]; !declared && !mapped {
			return badRequest("Invalid cache key parameter specified")
		}
	}
	return nil
}

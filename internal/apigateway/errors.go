package apigateway

import (
	"fmt"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

func badRequest(format string, args ...any) error {
	return &apigatewayapi.BadRequestException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

func notFound(format string, args ...any) error {
	return &apigatewayapi.NotFoundException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

func conflict(format string, args ...any) error {
	return &apigatewayapi.ConflictException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

// limitExceeded is the answer to one thing too many. SDKs that are told to try
// again at once, and do, get the same answer at little cost.
func limitExceeded(text string) error {
	return &apigatewayapi.LimitExceededException{RetryAfterSeconds: wire.Ptr("1"), Message: &text}
}

func noAPI(sc scope, id string) error {
	return notFound("Invalid API identifier specified %s:%s", sc.Account, id)
}

func noResource() error    { return notFound("Invalid Resource identifier specified") }
func noMethod() error      { return notFound("Invalid Method identifier specified") }
func noIntegration() error { return notFound("Invalid Integration identifier specified") }
func noResponse() error    { return notFound("Invalid Response status code specified") }
func noDeployment() error  { return notFound("Invalid Deployment identifier specified") }
func noStage() error       { return notFound("Invalid stage identifier specified") }
func noDomain() error      { return notFound("Invalid domain name identifier specified") }
func noMapping() error     { return notFound("Invalid base path mapping identifier specified") }

func noModel(name string) error { return notFound("Invalid model name specified: %s", name) }

// invalidMapping words faults of mapping expressions the way the importer and
// the Put calls do.
func invalidMapping(fault string) error {
	return badRequest("Invalid mapping expression specified: Validation Result: warnings : [], errors : [%s]", fault)
}

func invalidARN() error { return badRequest("Invalid ARN specified in the request") }

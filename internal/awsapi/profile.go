package awsapi

import (
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/awsjson"
	"github.com/butai-dev/butai/internal/wire/awsquery"
	"github.com/butai-dev/butai/internal/wire/jsonbody"
	"github.com/butai-dev/butai/internal/wire/restjson"
	"github.com/butai-dev/butai/internal/wire/restxml"
	"github.com/butai-dev/butai/internal/wire/rpcv2cbor"
)

// profile is how one service's front end words what no model declares.
type profile struct {
	protocol wire.Protocol
	// older is the protocol of clients from before protocol, or nil: it takes
	// requests that say nothing of theirs. json is what requests with an
	// X-Amz-Target speak, or nil if that is protocol.
	older, json wire.Protocol
	maxBody     int64
	// validation is the code of a failed model constraint.
	validation string
	// denied is the answer to a caller who lacks a permission.
	denied wire.Error
	// family says how errors of the signature are worded.
	family sigv4.Family
	// prefix is what paths of the service's requests begin with, if it shares
	// its signing name with another that this tells it from.
	prefix string
	// exempt leaves constraints of these shapes to the service.
	exempt []string
	// newer makes patterns in messages those of AWS's front end, where it is
	// ahead of the model; nil if it isn't.
	newer *strings.Replacer
	// whole has elements that break a constraint reported at their list or map.
	whole bool
}

// profiles holds the front ends by butai's service name. The body limits are
// AWS's documented request limits; S3's is butai's own, since it buffers.
var profiles = map[string]profile{
	"acm": {
		protocol: awsjson.Protocol{}, maxBody: 1 << 20, validation: "ValidationException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 400}, family: sigv4.JSON,
	},
	"apigateway": {
		protocol: restjson.Protocol{Style: jsonbody.JavaClass}, maxBody: 10 << 20, validation: "ValidationException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 403}, family: sigv4.REST,
	},
	"apigatewayv2": {
		protocol: restjson.Protocol{}, maxBody: 10 << 20, validation: "BadRequestException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 403}, family: sigv4.REST, prefix: "/v2/",
	},
	"cloudwatch": {
		// New SDKs speak CBOR, some of the last years' JSON, older ones (the Go
		// SDK in Terraform's provider 5.100) know the query protocol alone.
		protocol: rpcv2cbor.Protocol{Namespace: cloudWatch},
		json:     awsjson.Protocol{ErrorPrefix: cloudWatch, QueryErrors: map[string]string{}},
		older:    awsquery.Protocol{}, maxBody: 1 << 20, validation: "ValidationError",
		denied: wire.Error{Code: "AccessDenied", Status: 403}, family: sigv4.Query,
	},
	"dynamodb": {
		protocol: awsjson.Protocol{ErrorPrefix: "com.amazonaws.dynamodb.v20120810#", CoralErrors: true, CRC32: true},
		maxBody:  16 << 20, validation: "ValidationException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 400}, family: sigv4.JSON,
	},
	"dynamodbstreams": {
		protocol: awsjson.Protocol{ErrorPrefix: "com.amazonaws.dynamodb.v20120810#", CoralErrors: true, CRC32: true},
		maxBody:  16 << 20, validation: "ValidationException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 400}, family: sigv4.JSON,
	},
	"ecr": {
		protocol: awsjson.Protocol{}, maxBody: 32 << 20, validation: "InvalidParameterException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 400}, family: sigv4.JSON,
	},
	"events": {
		protocol: awsjson.Protocol{}, maxBody: 4 << 20, validation: "ValidationException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 400}, family: sigv4.JSON,
	},
	"iam": {
		protocol: awsquery.Protocol{}, maxBody: 1 << 20, validation: "ValidationError",
		denied: wire.Error{Code: "AccessDenied", Status: 403}, family: sigv4.Query,
	},
	"kms": {
		protocol: awsjson.Protocol{}, maxBody: 1 << 20, validation: "ValidationException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 400}, family: sigv4.JSON,
	},
	"lambda": {
		protocol: restjson.Protocol{}, maxBody: 70_167_211, validation: "ValidationException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 403}, family: sigv4.REST,
		// Lambda words these itself.
		exempt: []string{"Runtime", "CompatibleArchitectures", "EventSourcePosition"}, whole: true,
		// Recorded 2025-11: names of functions may have regions of the European sovereign cloud.
		newer: strings.NewReplacer(`([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?`, `((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?`),
	},
	"logs": {
		protocol: awsjson.Protocol{}, maxBody: 2 << 20, validation: "InvalidParameterException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 400}, family: sigv4.JSON,
	},
	"route53": {
		protocol: restxml.Protocol{Namespace: "https://route53.amazonaws.com/doc/2013-04-01/"}, maxBody: 1 << 20, validation: "InvalidInput",
		denied: wire.Error{Code: "AccessDenied", Status: 403}, family: sigv4.Query,
	},
	"s3": {
		protocol: restxml.Protocol{Namespace: "http://s3.amazonaws.com/doc/2006-03-01/", S3: true}, maxBody: 512 << 20, validation: "InvalidArgument",
		denied: wire.Error{Code: "AccessDenied", Status: 403}, family: sigv4.S3,
	},
	"secretsmanager": {
		protocol: awsjson.Protocol{}, maxBody: 1 << 20, validation: "ValidationException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 400}, family: sigv4.JSON,
	},
	"sns": {
		protocol: awsquery.Protocol{}, maxBody: 1 << 20, validation: "ValidationError",
		denied: wire.Error{Code: "AuthorizationError", Status: 403}, family: sigv4.Query,
	},
	"sqs": {
		protocol: awsjson.Protocol{ErrorPrefix: "com.amazonaws.sqs#", QueryErrors: queueErrors},
		older:    awsquery.Protocol{Codes: queueErrors, Wrapped: true, PathMember: "QueueUrl"},
		maxBody:  2 << 20, validation: "ValidationException",
		denied: wire.Error{Code: "AccessDenied", Status: 403}, family: sigv4.JSON,
	},
	"ssm": {
		protocol: awsjson.Protocol{}, maxBody: 1 << 20, validation: "ValidationException",
		denied: wire.Error{Code: "AccessDeniedException", Status: 400}, family: sigv4.JSON,
	},
	"sts": {
		protocol: awsquery.Protocol{}, maxBody: 1 << 20, validation: "ValidationError",
		denied: wire.Error{Code: "AccessDenied", Status: 403}, family: sigv4.Query,
	},
}

// queueErrors are the codes that SQS's errors had in the query protocol, and
// that SDKs still show (API Reference: each action's "Errors").
var queueErrors = map[string]string{
	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong",
	"EmptyBatchRequest":            "AWS.SimpleQueueService.EmptyBatchRequest",
	"InvalidBatchEntryId":          "AWS.SimpleQueueService.InvalidBatchEntryId",
	"KmsAccessDenied":              "KMS.AccessDeniedException",
	"KmsDisabled":                  "KMS.DisabledException",
	"KmsInvalidKeyUsage":           "KMS.InvalidKeyUsageException",
	"KmsInvalidState":              "KMS.InvalidStateException",
	"KmsNotFound":                  "KMS.NotFoundException",
	"MessageNotInflight":           "AWS.SimpleQueueService.MessageNotInflight",
	"PurgeQueueInProgress":         "AWS.SimpleQueueService.PurgeQueueInProgress",
	"QueueDeletedRecently":         "AWS.SimpleQueueService.QueueDeletedRecently",
	"QueueDoesNotExist":            "AWS.SimpleQueueService.NonExistentQueue",
	"QueueNameExists":              "QueueAlreadyExists",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"UnsupportedOperation":         "AWS.SimpleQueueService.UnsupportedOperation",
}

// cloudWatch marks its errors alike in CBOR and JSON.
const cloudWatch = "com.amazonaws.cloudwatch#"

// spokenBy is the protocol of a request to the service.
func (p *profile) spokenBy(r *http.Request) wire.Protocol {
	spoken := p.protocol
	target := r.Header.Get("X-Amz-Target") != ""
	switch {
	case p.json != nil && target:
		spoken = p.json
	case p.older != nil && !target && r.Header.Get(rpcv2cbor.Header) == "":
		spoken = p.older
	}
	if query, ok := spoken.(awsquery.Protocol); ok {
		return query.For(r)
	}
	return spoken
}

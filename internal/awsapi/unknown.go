package awsapi

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/awsjson"
	"github.com/butai-dev/butai/internal/wire/awsquery"
	"github.com/butai-dev/butai/internal/wire/restjson"
	"github.com/butai-dev/butai/internal/wire/restxml"
	"github.com/butai-dev/butai/internal/wire/rpcv2cbor"
)

// instead says what to use in the place of services that people reach for with
// an API, by the names that they are signed for.
var instead = map[string]string{
	"cloudformation": "deploy with Terraform, the AWS CLI or an SDK; SAM, CDK, the Serverless Framework and Zappa's API Gateway need CloudFormation",
	"cognito-idp":    "user pools elsewhere are honoured: authorizers verify their tokens (butai serve --cognito-jwks)",
	"xray":           "butai trace shows what became of a request",
}

// notServed is the error of a call of a service that butai doesn't have.
func notServed(name string) error {
	if why := instead[name]; why != "" {
		return wire.NotBuilt("service %q; %s", name, why)
	}
	return wire.NotBuilt("service %q", name)
}

// unknownService answers a request for no service of ours, in the form that
// its client can read.
func (h *Handler) unknownService(r *http.Request, signature *sigv4.Signature, err error, requestID string) *wire.Response {
	if _, seen := h.warned.LoadOrStore(err.Error(), true); !seen {
		h.Log.Warn(fmt.Sprintf("refused: %v", err), "method", r.Method, "path", r.URL.Path)
	}
	name := ""
	if signature != nil {
		name = signature.Service
	}
	protocol, model := spokenToNobody(r, name)
	return protocol.EncodeError(model, err, requestID)
}

// spokenToNobody guesses the protocol of a request for a service without a
// model, which is signed for name: RPC protocols are told by their headers, and
// of REST ones all but CloudFront's speak JSON.
func spokenToNobody(r *http.Request, name string) (wire.Protocol, *wire.ServiceModel) {
	contentType := r.Header.Get("Content-Type")
	switch {
	case signedV2(r):
		return restxml.Protocol{S3: true}, &wire.ServiceModel{}
	case r.Header.Get("Smithy-Protocol") == rpcv2cbor.Value:
		return rpcv2cbor.Protocol{}, &wire.ServiceModel{}
	case r.Header.Get("X-Amz-Target") != "":
		_, version, _ := strings.Cut(contentType, "x-amz-json-")
		return awsjson.Protocol{}, &wire.ServiceModel{JSONVersion: version}
	case name == "ec2":
		return awsquery.EC2{}, &wire.ServiceModel{}
	case strings.HasPrefix(contentType, "application/x-www-form-urlencoded"):
		return awsquery.Protocol{}, &wire.ServiceModel{}
	case name == "cloudfront":
		return restxml.Protocol{}, &wire.ServiceModel{}
	}
	return restjson.Protocol{}, &wire.ServiceModel{}
}

// signedV2 reports whether a request has a signature of S3's version 2, which
// boto3 and the CLI still give to presigned URLs for us-east-1 unless they are
// configured with signature_version s3v4. AWS's younger regions refuse it too.
func signedV2(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS ") ||
		strings.Contains(r.URL.RawQuery, "AWSAccessKeyId=") && strings.Contains(r.URL.RawQuery, "Signature=")
}

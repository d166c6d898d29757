// Package cloud reaches AWS for butai release, through the AWS SDK for Go and
// public APIs only: AWS_ENDPOINT_URL decides whether AWS or another answers.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/butai-dev/butai/internal/release"
)

// maxAttempts and maxBackoff bound how long throttling is waited out: API
// Gateway allows some of its calls once in five seconds.
const (
	maxAttempts = 12
	maxBackoff  = 10 * time.Second
)

// Config is the SDK's configuration: its own chain of credentials, and
// patience.
func Config(ctx context.Context) (aws.Config, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRetryer(func() aws.Retryer {
		r := retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = maxAttempts, maxBackoff
			o.RateLimiter = noLimit{}
			o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(cutShort), retry.IsErrorRetryableFunc(inProgress))
		})
		return retry.AddWithErrorCodes(r, "ConflictException", "TooManyRequestsException", "LimitExceededException", "ConcurrentModificationException",
			"ConditionalRequestConflict")
	}))
	if err == nil && cfg.Region == "" {
		err = errors.New("no region is configured: set AWS_REGION")
	}
	return cfg, err
}

// inProgress takes Lambda's refusal of a change while another is being made
// for a reason to ask again. Its other conflicts, of the same code, stay.
func inProgress(err error) aws.Ternary {
	if is(err, "ResourceConflictException") && strings.Contains(err.Error(), "in progress") {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// cutShort takes an answer that ended early for a reason to ask again. The SDK
// closes its request's body when the answer begins, and where that is before
// net/http has seen the body's end, net/http closes the connection.
func cutShort(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// noLimit lets a release that was throttled often go on.
type noLimit struct{}

func (noLimit) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (noLimit) AddTokens(uint) error { return nil }

// Account asks who we are.
func Account(ctx context.Context, cfg aws.Config) (release.Account, error) {
	a := release.Account{Region: cfg.Region, Endpoint: endpoint(cfg)}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return a, fmt.Errorf("who am I: %w", err)
	}
	a.ID, a.Principal, a.Partition = aws.ToString(who.Account), aws.ToString(who.Arn), "aws"
	if parts := strings.SplitN(a.Principal, ":", 3); len(parts) == 3 {
		a.Partition = parts[1]
	}
	return a, nil
}

// endpoint is the address that stands in for AWS's own; "" without.
func endpoint(cfg aws.Config) string {
	if cfg.BaseEndpoint != nil {
		return strings.TrimSuffix(*cfg.BaseEndpoint, "/")
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_API_GATEWAY", "AWS_ENDPOINT_URL"} {
		if v := os.Getenv(name); v != "" {
			return strings.TrimSuffix(v, "/")
		}
	}
	return ""
}

// code is the error code of an AWS error, "" of any other.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

// is reports whether an AWS error has one of these codes.
func is(err error, codes ...string) bool {
	have := code(err)
	return slices.Contains(codes, have)
}

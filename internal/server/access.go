package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/iam"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/userpool"
	"github.com/butai-dev/butai/internal/wire"
)

// gatewaySigners lets the gateway verify signatures by the rules of the AWS
// APIs, and ask what signers may do.
type gatewaySigners struct {
	signers *awsapi.Signers
	iam     *iam.Service
}

var _ gateway.Signers = gatewaySigners{}

func (s *Server) signers() gatewaySigners {
	return gatewaySigners{
		signers: awsapi.NewSigners(s.services.iam, s.cfg.Clock, s.cfg.StrictCredentials, s.fromFunction),
		iam:     s.services.iam,
	}
}

// Authenticate implements gateway.Signers.
func (g gatewaySigners) Authenticate(r *http.Request, body []byte, region string) (*wire.Caller, error) {
	caller, err := g.signers.Authenticate(r, body, "execute-api", region)
	var refused *sigv4.Error
	if errors.As(err, &refused) {
		d := refused.Describe(sigv4.REST)
		return nil, &gateway.SignatureError{Code: d.Code, Message: d.Message}
	}
	return caller, err
}

// Decide implements gateway.Signers.
func (g gatewaySigners) Decide(caller *wire.Caller, req *policy.Request) policy.Decision {
	return g.iam.Decide(caller, req)
}

// gatewayPools lets the gateway verify tokens of Cognito's user pools.
type gatewayPools struct{ *userpool.Pools }

var _ gateway.UserPools = gatewayPools{}

func (s *Server) userPools() gatewayPools {
	pools := userpool.New(userpool.Config{URLs: s.cfg.CognitoKeys, Clock: s.cfg.Clock, Log: s.cfg.Log})
	s.onClose(pools.Close)
	return gatewayPools{pools}
}

// Verify implements gateway.UserPools.
func (g gatewayPools) Verify(ctx context.Context, token string, poolARNs []string) ([]byte, error) {
	claims, err := g.Pools.Verify(ctx, token, poolARNs)
	switch {
	case errors.Is(err, userpool.ErrExpired):
		return nil, fmt.Errorf("%w: %w", gateway.ErrTokenExpired, err)
	case errors.Is(err, userpool.ErrInvalid):
		return nil, fmt.Errorf("%w: %w", gateway.ErrTokenInvalid, err)
	}
	return claims, err
}

// Package sts is the AWS Security Token Service: who calls, and temporary
// credentials for roles and users.
package sts

import (
	"context"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/stsapi"
	"github.com/butai-dev/butai/internal/iam"
	"github.com/butai-dev/butai/internal/wire"
)

// Issuer issues sessions; *iam.Service is one.
type Issuer interface {
	AssumeRole(ctx context.Context, a *iam.Assumption) (*iam.Session, error)
	SessionToken(ctx context.Context, caller *wire.Caller, duration time.Duration) (*iam.Session, error)
	AccountOf(accessKeyID string) (account string, known bool)
}

// Service implements STS.
type Service struct {
	issuer Issuer
}

// New returns the service.
func New(issuer Issuer) *Service { return &Service{issuer: issuer} }

var (
	_ stsapi.GetCallerIdentityAPI = (*Service)(nil)
	_ stsapi.AssumeRoleAPI        = (*Service)(nil)
	_ stsapi.GetSessionTokenAPI   = (*Service)(nil)
	_ stsapi.GetAccessKeyInfoAPI  = (*Service)(nil)
)

// IAMTargets: GetCallerIdentity and GetSessionToken need no permission, and
// AssumeRole is decided together with the role's trust policy.
func (s *Service) IAMTargets(_ context.Context, op *wire.Operation, _ any) []wire.IAMTarget {
	if op.Name == "GetAccessKeyInfo" {
		return []wire.IAMTarget{{Action: "sts:GetAccessKeyInfo", Resource: "*"}}
	}
	return nil
}

// Refused lists what AssumeRole and GetSessionToken can't do.
func (s *Service) Refused() []wire.Refusal {
	return []wire.Refusal{
		{Operation: "AssumeRole", Member: "Tags", Reason: "session tags"},
		{Operation: "AssumeRole", Member: "TransitiveTagKeys", Reason: "session tags"},
		{Operation: "AssumeRole", Member: "SerialNumber", Reason: "MFA"},
		{Operation: "AssumeRole", Member: "TokenCode", Reason: "MFA"},
		{Operation: "AssumeRole", Member: "SourceIdentity", Reason: "source identity"},
		{Operation: "AssumeRole", Member: "ProvidedContexts", Reason: "trusted identity propagation"},
		{Operation: "GetSessionToken", Member: "SerialNumber", Reason: "MFA"},
		{Operation: "GetSessionToken", Member: "TokenCode", Reason: "MFA"},
	}
}

// GetCallerIdentity says who calls.
func (s *Service) GetCallerIdentity(ctx context.Context, _ *stsapi.GetCallerIdentityRequest) (*stsapi.GetCallerIdentityResponse, error) {
	c := wire.CallerFrom(ctx)
	return &stsapi.GetCallerIdentityResponse{UserId: &c.UserID, Account: &c.Account, Arn: &c.ARN}, nil
}

// AssumeRole issues credentials for a role session, for an hour by default.
func (s *Service) AssumeRole(ctx context.Context, in *stsapi.AssumeRoleRequest) (*stsapi.AssumeRoleResponse, error) {
	caller := wire.CallerFrom(ctx)
	duration := int64(3600)
	if in.DurationSeconds != nil {
		duration = *in.DurationSeconds
	}
	a := &iam.Assumption{
		RoleARN: *in.RoleArn, Name: *in.RoleSessionName, Duration: time.Duration(duration) * time.Second,
		Policy: wire.Val(in.Policy), ExternalID: wire.Val(in.ExternalId), Caller: caller,
	}
	for _, p := range in.PolicyArns {
		a.PolicyARNs = append(a.PolicyARNs, wire.Val(p.Arn))
	}
	session, err := s.issuer.AssumeRole(ctx, a)
	if err != nil {
		return nil, err
	}
	return &stsapi.AssumeRoleResponse{
		Credentials:     credentials(session),
		AssumedRoleUser: &stsapi.AssumedRoleUser{AssumedRoleId: &session.ID, Arn: &session.ARN},
	}, nil
}

func credentials(s *iam.Session) *stsapi.Credentials {
	return &stsapi.Credentials{AccessKeyId: &s.AccessKeyID, SecretAccessKey: &s.SecretAccessKey, SessionToken: &s.SessionToken, Expiration: &s.Expiration}
}

// GetSessionToken issues temporary credentials for the calling user, for 12
// hours by default, or for the root user, for an hour.
func (s *Service) GetSessionToken(ctx context.Context, in *stsapi.GetSessionTokenRequest) (*stsapi.GetSessionTokenResponse, error) {
	caller := wire.CallerFrom(ctx)
	if strings.HasPrefix(caller.AccessKeyID, "ASIA") { // temporary keys begin so
		return nil, &wire.Error{Code: "AccessDenied", Status: 403, Message: "Cannot call GetSessionToken with session credentials"}
	}
	duration := int64(12 * 3600)
	if strings.HasSuffix(caller.ARN, ":root") {
		duration = 3600
	}
	if in.DurationSeconds != nil {
		duration = *in.DurationSeconds
	}
	session, err := s.issuer.SessionToken(ctx, caller, time.Duration(duration)*time.Second)
	if err != nil {
		return nil, err
	}
	return &stsapi.GetSessionTokenResponse{Credentials: credentials(session)}, nil
}

// GetAccessKeyInfo says to which account a key belongs.
func (s *Service) GetAccessKeyInfo(_ context.Context, in *stsapi.GetAccessKeyInfoRequest) (*stsapi.GetAccessKeyInfoResponse, error) {
	account, ok := s.issuer.AccountOf(*in.AccessKeyId)
	if !ok {
		return nil, wire.Errorf("ValidationError", "Access key %s is not known to butai", *in.AccessKeyId)
	}
	return &stsapi.GetAccessKeyInfoResponse{Account: &account}, nil
}

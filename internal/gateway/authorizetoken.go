package gateway

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// UserPools verifies the tokens of Amazon Cognito user pools.
type UserPools interface {
	// Watch begins to fetch a pool's keys, so that they are there when
	// requests come. It does not block.
	Watch(poolARN string)
	// Verify checks that token was issued by one of the pools, is signed with
	// one of its keys and has not expired, and returns its claims as JSON. The
	// error is ErrTokenExpired or ErrTokenInvalid for the token's own faults.
	Verify(ctx context.Context, token string, poolARNs []string) (claims []byte, err error)
}

// The faults of tokens.
var (
	ErrTokenExpired = errors.New("the token has expired")
	ErrTokenInvalid = errors.New("the token is not valid")
)

// authorizeByToken is COGNITO_USER_POOLS: the request must carry a token of
// one of the authorizer's pools. A resource policy, if the API has one, must
// then allow the call by itself.
func (x *exchange) authorizeByToken(a *authorizer) *failure {
	v, fail := x.checkToken(a, x.m.access.scopes)
	x.caller.call.made, x.caller.call.status = true, http.StatusOK
	if fail != nil {
		x.caller.call.status, x.caller.call.err = fail.status, fail.message
		return fail
	}
	x.caller.verdict = v
	return x.authorizeAnyone()
}

// checkToken verifies the request's token. With scopes it must be an access
// token that has one of them, without, an identity token (developer guide,
// "Integrate a REST API with an Amazon Cognito user pool").
func (x *exchange) checkToken(a *authorizer, scopes []string) (*verdict, *failure) {
	x.log.authorizerStarts(x, a)
	x.note("authorizer", a.id)
	if a.problem != "" {
		return nil, authorizerMisconfigured("Execution failed due to configuration error: " + a.problem)
	}
	identity, ok := x.identity(a)
	if !ok || len(identity) != 1 {
		return nil, x.unauthorized().fixedBy(identityFix(a))
	}
	x.log.authorizerIdentity(a, identity)
	token := strings.TrimPrefix(identity[0], "Bearer ")
	claims, err := x.gw.pools.Verify(x.r.Context(), token, a.pools)
	switch {
	case errors.Is(err, ErrTokenExpired):
		return nil, unauthorized("The incoming token has expired").because("Unauthorized request: " + x.requestID)
	case errors.Is(err, ErrTokenInvalid):
		return nil, x.unauthorized().fixedBy("The token is not one of the user pools of authorizer " + a.id + ": " + err.Error() + ".")
	case err != nil:
		x.gw.log.Error("fetching the keys of a user pool failed", "authorizer", a.id, "request", x.requestID, "err", err)
		return nil, authorizerMisconfigured("Execution failed due to configuration error: Authorizer error").fixedBy(
			"The keys of the user pool can't be fetched (" + err.Error() + "): tell butai serve where they are with --cognito-jwks POOL=URL.")
	}
	v := &verdict{}
	if v.claims, err = parseClaims(claims); err != nil {
		return nil, x.unauthorized()
	}
	if why := tokenUnfit(a, claimSource(v.claims), scopes); why != "" {
		return nil, x.unauthorized().fixedBy(why)
	}
	return v, nil
}

// tokenUnfit checks what the authorizer and the method ask of a token's claims,
// and says what to do about one that lacks it.
func tokenUnfit(a *authorizer, claims claimSource, scopes []string) string {
	use, audience := claims.text("token_use"), claims.text("aud")
	if a.validation != nil && !a.validation.match(audience) {
		return "The token's aud is " + strconv.Quote(audience) + ", which the authorizer's identityValidationExpression doesn't match."
	}
	if len(scopes) == 0 {
		if use != "id" {
			return "The method has no authorizationScopes, so it takes identity tokens (token_use id): send one, or give the method a scope that access tokens hold."
		}
		return ""
	}
	held := strings.Fields(claims.text("scope"))
	if use != "access" || !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(held, s) }) {
		return "The method takes access tokens (token_use access) with one of the scopes " + strings.Join(scopes, ", ") + "."
	}
	return ""
}

func (s claimSource) text(name string) string {
	v, _ := s.Lookup(name)
	text, _ := v.(string)
	return text
}

// claimTime is how the claims that are times print (measured).
const claimTime = "Mon Jan 02 15:04:05 MST 2006"

// parseClaims reads a token's claims. All are texts behind the gateway: lists
// joined by commas, the times exp and iat spelled out.
func parseClaims(claims []byte) ([]contextEntry, error) {
	doc, err := value.Parse(string(claims))
	m, ok := doc.(*value.Map)
	if err != nil || !ok {
		return nil, fmt.Errorf("claims are not an object: %w", err)
	}
	entries := make([]contextEntry, m.Len())
	for i := range entries {
		e := m.At(i)
		entries[i] = contextEntry{name: e.Key, text: claimText(e.Key, e.Value), null: e.Value == nil}
	}
	return entries, nil
}

func claimText(name string, v value.Value) string {
	switch v := v.(type) {
	case int64:
		if name == "exp" || name == "iat" {
			return time.Unix(v, 0).UTC().Format(claimTime)
		}
	case *value.List:
		parts := make([]string, v.Len())
		for i, item := range v.Items() {
			parts[i] = value.String(item)
		}
		return strings.Join(parts, ",")
	case *value.Map:
		return string(value.AppendJSON(nil, v, maxPayload))
	case *big.Int:
		return v.String()
	}
	return value.String(v)
}

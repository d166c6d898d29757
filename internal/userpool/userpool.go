// Package userpool verifies tokens of Amazon Cognito user pools. It fetches a
// pool's public keys ahead of the requests that need them and keeps them, so
// that verifying one is arithmetic alone.
package userpool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/butai-dev/butai/internal/clock"
)

// The faults of a token. Other errors of Verify are about its pool.
var (
	ErrInvalid = errors.New("invalid token")
	ErrExpired = errors.New("expired token")
)

// Config is what New needs; Clock and Log are required.
type Config struct {
	// URLs are where the keys of pools are fetched, by the pool's ARN or id.
	// Without one, it is Cognito's own address for the pool.
	URLs  map[string]string
	Clock clock.Clock
	Log   *slog.Logger
}

// Pools knows the user pools that somebody watches. All methods are safe for
// concurrent use.
type Pools struct {
	cfg    Config
	client *http.Client
	ctx    context.Context // of fetches; ends with Close
	cancel context.CancelFunc

	mu    sync.Mutex
	pools map[string]*pool // by ARN
}

// New returns Pools that watch none yet.
func New(cfg Config) *Pools {
	ctx, cancel := context.WithCancel(context.Background())
	return &Pools{cfg: cfg, ctx: ctx, cancel: cancel, client: newClient(), pools: map[string]*pool{}}
}

// Close ends fetches that are under way.
func (p *Pools) Close() error {
	p.cancel()
	p.client.CloseIdleConnections()
	return nil
}

// Watch begins to fetch a pool's keys. It does not wait for them, and does
// nothing for an ARN that is no user pool's.
func (p *Pools) Watch(poolARN string) {
	if known, err := p.pool(poolARN); err == nil && known.current() == nil {
		known.refresh()
	}
}

// pool returns the pool of an ARN.
func (p *Pools) pool(poolARN string) (*pool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.pools[poolARN]; known != nil {
		return known, nil
	}
	made, err := p.newPool(poolARN)
	if err == nil {
		p.pools[poolARN] = made
	}
	return made, err
}

// Verify checks that token was issued by one of the pools, is signed with one
// of its keys (RS256, as all of Cognito's) and is good now. It returns the
// claims as JSON. It waits for keys that are still being fetched, as long as
// ctx lasts; a token whose key is unknown has them fetched anew, at most every
// few seconds.
func (p *Pools) Verify(ctx context.Context, token string, poolARNs []string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	from, err := p.issuer(signed.UnsafePayloadWithoutVerification(), poolARNs)
	if err != nil {
		return nil, err
	}
	key, err := from.key(ctx, signed.Signatures[0].Header.KeyID)
	if err != nil {
		return nil, err
	}
	claims, err := signed.Verify(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return claims, p.checkLife(claims)
}

// issuer finds the pool that a token says it comes from.
func (p *Pools) issuer(claims []byte, poolARNs []string) (*pool, error) {
	var said struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(claims, &said); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for _, poolARN := range poolARNs {
		known, err := p.pool(poolARN)
		if err != nil {
			return nil, err
		}
		if slices.Contains(known.issuers, said.Issuer) {
			return known, nil
		}
	}
	return nil, fmt.Errorf("%w: issued by %q", ErrInvalid, said.Issuer)
}

// checkLife applies exp, which a token must have, and nbf.
func (p *Pools) checkLife(claims []byte) error {
	var c jwt.Claims
	if err := json.Unmarshal(claims, &c); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if c.Expiry == nil {
		return fmt.Errorf("%w: it has no exp", ErrInvalid)
	}
	err := c.ValidateWithLeeway(jwt.Expected{Time: p.cfg.Clock.Now()}, time.Duration(0))
	switch {
	case errors.Is(err, jwt.ErrExpired):
		return fmt.Errorf("%w: %w", ErrExpired, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

package userpool

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/butai-dev/butai/internal/arn"
)

const (
	// wellKnown is where an issuer's keys are, below its address (OpenID
	// Connect Discovery; Cognito's developer guide, "Verifying JSON web tokens").
	wellKnown = "/.well-known/jwks.json"

	fetchTimeout = 5 * time.Second
	// maxAge is how old keys get before they are fetched again.
	maxAge = time.Hour
	// fetchPause is how long a fetch counts, be it that it failed or that it
	// brought no key of the name that a token gives.
	fetchPause = 5 * time.Second
	// maxKeys bounds a key set, in bytes.
	maxKeys = 1 << 20
)

// newClient returns a client that goes nowhere but where it is sent.
func newClient() *http.Client {
	return &http.Client{
		Timeout: fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the address of a user pool's keys redirects; give the address that it redirects to")
		},
	}
}

// pool is a user pool and its keys.
type pool struct {
	owner   *Pools
	url     string   // of the key set
	issuers []string // that its tokens may name

	mu   sync.Mutex
	keys *jose.JSONWebKeySet // nil before the first fetch
	err  error               // of the last fetch
	at   time.Time           // of the last fetch's end
	busy chan struct{}       // closed when the fetch that is under way ends; nil if there is none
}

func (p *Pools) newPool(poolARN string) (*pool, error) {
	a, err := arn.Parse(poolARN)
	id, ok := strings.CutPrefix(a.Resource, "userpool/")
	if err != nil || !ok || a.Service != "cognito-idp" || id == "" {
		return nil, fmt.Errorf("%q is not the ARN of a user pool", poolARN)
	}
	issuer := "https://cognito-idp." + a.Region + ".amazonaws.com/" + id
	made := &pool{owner: p, issuers: []string{issuer}}
	made.url = cmp.Or(p.cfg.URLs[poolARN], p.cfg.URLs[id], issuer+wellKnown)
	// A server that stands in for Cognito names itself as the issuer.
	if other, ok := strings.CutSuffix(made.url, wellKnown); ok && other != issuer {
		made.issuers = append(made.issuers, other)
	}
	return made, nil
}

// current returns the keys as they are known now, or nil.
func (p *pool) current() *jose.JSONWebKeySet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys
}

// key returns the key of an id. It waits for a fetch only if there is no
// answer without.
func (p *pool) key(ctx context.Context, id string) (*jose.JSONWebKey, error) {
	p.mu.Lock()
	keys, err, fetched := p.keys, p.err, p.at
	p.mu.Unlock()
	age := p.owner.cfg.Clock.Now().Sub(fetched)
	key := find(keys, id)
	switch {
	case key != nil:
		if age > maxAge {
			p.refresh()
		}
		return key, nil
	case !fetched.IsZero() && age < fetchPause:
		return nil, missing(err, id)
	}
	select {
	case <-p.refresh():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	keys, err = p.keys, p.err
	p.mu.Unlock()
	if key := find(keys, id); key != nil {
		return key, nil
	}
	return nil, missing(err, id)
}

// missing is why there is no key: the pool could not be asked, or it has none.
func missing(fetch error, id string) error {
	if fetch != nil {
		return fetch
	}
	return fmt.Errorf("%w: no key %q", ErrInvalid, id)
}

func find(keys *jose.JSONWebKeySet, id string) *jose.JSONWebKey {
	if keys == nil {
		return nil
	}
	for _, k := range keys.Key(id) {
		if k.IsPublic() && k.Valid() {
			return &k
		}
	}
	return nil
}

// refresh begins to fetch the keys unless that is under way. The channel is
// closed at the end.
func (p *pool) refresh() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy != nil {
		return p.busy
	}
	done := make(chan struct{})
	p.busy = done
	go func() {
		keys, err := p.fetch()
		if err != nil && p.owner.ctx.Err() == nil {
			p.owner.cfg.Log.Warn("the keys of a user pool can't be fetched: "+err.Error(), "url", p.url)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if err == nil {
			p.keys = keys
		}
		p.err, p.at, p.busy = err, p.owner.cfg.Clock.Now(), nil
		close(done)
	}()
	return done
}

func (p *pool) fetch() (*jose.JSONWebKeySet, error) {
	req, err := http.NewRequestWithContext(p.owner.ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return nil, err
	}
	res, err := p.owner.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch keys from %s: %s", p.url, res.Status)
	}
	keys := &jose.JSONWebKeySet{}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxKeys)).Decode(keys); err != nil {
		return nil, fmt.Errorf("read keys from %s: %w", p.url, err)
	}
	return keys, nil
}

package userpool

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/butai-dev/butai/internal/clock"
)

const (
	poolID  = "us-east-1_Example1"
	poolARN = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/" + poolID
	awsName = "https://cognito-idp.us-east-1.amazonaws.com/" + poolID
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// issuer is a server that stands in for Cognito.
type issuer struct {
	*httptest.Server
	mu      sync.Mutex
	keys    map[string]*rsa.PrivateKey
	fetches int
	down    bool
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{keys: map[string]*rsa.PrivateKey{}}
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	i.add(t, "one")
	return i
}

func (i *issuer) add(t *testing.T, id string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys[id] = key
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fetches++
	if i.down || r.URL.Path != "/"+poolID+wellKnown {
		http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", http.StatusFound)
		return
	}
	var set jose.JSONWebKeySet
	for id, key := range i.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: id, Algorithm: "RS256", Use: "sig"})
	}
	_ = json.NewEncoder(w).Encode(set)
}

func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

func (i *issuer) set(down bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = down
}

type claims = map[string]any

// token signs claims; kid may be another's than key's.
func (i *issuer) token(t *testing.T, key, kid string, c claims) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: i.keys[key]}, (&jose.SignerOptions{}).WithHeader("kid", kid))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newPools(t *testing.T, i *issuer) (*Pools, *clock.Fake) {
	fake := clock.NewFake(now)
	p := New(Config{URLs: map[string]string{poolID: i.URL + "/" + poolID + wellKnown}, Clock: fake, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, fake
}

func TestVerify(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.add(t, "two")
	p, _ := newPools(t, i)
	good := func(change claims) claims {
		c := claims{"iss": awsName, "exp": now.Add(time.Minute).Unix(), "sub": "me", "token_use": "id"}
		maps.Copy(c, change)
		return c
	}
	unsigned := "eyJhbGciOiJub25lIn0.e30."
	for name, tt := range map[string]struct {
		token string
		want  error
	}{
		"good":            {i.token(t, "one", "one", good(nil)), nil},
		"stand-in":        {i.token(t, "one", "one", good(claims{"iss": i.URL + "/" + poolID})), nil},
		"second key":      {i.token(t, "two", "two", good(nil)), nil},
		"another's key":   {i.token(t, "two", "one", good(nil)), ErrInvalid},
		"unknown key":     {i.token(t, "two", "three", good(nil)), ErrInvalid},
		"another issuer":  {i.token(t, "one", "one", good(claims{"iss": awsName + "x"})), ErrInvalid},
		"no issuer":       {i.token(t, "one", "one", good(claims{"iss": 1})), ErrInvalid},
		"expired":         {i.token(t, "one", "one", good(claims{"exp": now.Add(-time.Second).Unix()})), ErrExpired},
		"endless":         {i.token(t, "one", "one", good(claims{"exp": nil})), ErrInvalid},
		"not yet":         {i.token(t, "one", "one", good(claims{"nbf": now.Add(time.Minute).Unix()})), ErrInvalid},
		"unsigned":        {unsigned, ErrInvalid},
		"no token at all": {"junk", ErrInvalid},
	} {
		got, err := p.Verify(t.Context(), tt.token, []string{poolARN})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		var c claims
		if tt.want == nil && (json.Unmarshal(got, &c) != nil || c["sub"] != "me") {
			t.Errorf("%s: claims %s", name, got)
		}
	}
	tampered := i.token(t, "one", "one", good(nil))
	if _, err := p.Verify(t.Context(), tampered[:len(tampered)-5]+"AAAAA", []string{poolARN}); !errors.Is(err, ErrInvalid) {
		t.Errorf("tampered: %v", err)
	}
}

func TestKeysAreKept(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p, fake := newPools(t, i)
	good := claims{"iss": awsName, "exp": now.Add(24 * time.Hour).Unix()}
	verify := func(key string, want error, fetches int) {
		t.Helper()
		_, err := p.Verify(t.Context(), i.token(t, key, key, good), []string{poolARN})
		if !errors.Is(err, want) || i.count() != fetches {
			t.Errorf("key %s: %v after %d fetches, want %v after %d", key, err, i.count(), want, fetches)
		}
	}
	p.Watch(poolARN)
	verify("one", nil, 1)
	verify("one", nil, 1)
	i.add(t, "two") // rotated in
	verify("two", ErrInvalid, 1)
	fake.Advance(fetchPause)
	verify("two", nil, 2)
	i.set(true)
	verify("one", nil, 2)
	i.add(t, "three")
	fake.Advance(fetchPause)
	_, err := p.Verify(t.Context(), i.token(t, "three", "three", good), []string{poolARN})
	if err == nil || errors.Is(err, ErrInvalid) {
		t.Errorf("a pool that can't be asked: %v", err)
	}
	verify("one", nil, 3) // what is known stays good
}

func TestOnlyUserPools(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p, _ := newPools(t, i)
	for _, bad := range []string{"", "arn:aws:iam::000000000000:role/x", "arn:aws:cognito-idp:us-east-1:000000000000:userpool/"} {
		p.Watch(bad)
		_, err := p.Verify(t.Context(), i.token(t, "one", "one", claims{"iss": awsName}), []string{bad})
		if err == nil {
			t.Errorf("%q is taken for a user pool", bad)
		}
	}
	if i.count() > 0 {
		t.Errorf("%d fetches", i.count())
	}
}

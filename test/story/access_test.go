package story

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/butai-dev/butai/test/harness"
)

const (
	poolID     = "us-east-1_Example1"
	poolARN    = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/" + poolID
	poolIssuer = "https://cognito-idp.us-east-1.amazonaws.com/" + poolID
	poolKey    = "one"
)

// TestAccess calls an API with each kind of authorization, signed by botocore
// and with tokens of a user pool whose keys this test serves.
func TestAccess(t *testing.T) {
	t.Parallel()
	python := harness.Python(t)
	key, stranger := newKey(t), newKey(t)
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: poolKey, Algorithm: "RS256", Use: "sig"}}})
	}))
	t.Cleanup(keys.Close)
	s := harness.Start(t, "--cognito-jwks", poolID+"="+keys.URL+"/keys.json")
	expires := time.Now().Add(time.Hour)
	claims := func(more map[string]any) map[string]any {
		out := map[string]any{
			"iss": poolIssuer, "sub": "ada", "token_use": "id", "aud": "client", "exp": expires.Unix(), "cognito:groups": []string{"admins", "users"},
		}
		maps.Copy(out, more)
		return out
	}
	given, err := json.Marshal(map[string]any{
		"pool": poolARN, "exp": expires.UTC().Format("Mon Jan 02 15:04:05 MST 2006"),
		"tokens": map[string]string{
			"id":       sign(t, key, claims(nil)),
			"access":   sign(t, key, claims(map[string]any{"token_use": "access", "scope": "openid pets/read"})),
			"unscoped": sign(t, key, claims(map[string]any{"token_use": "access", "scope": "openid"})),
			"expired":  sign(t, key, claims(map[string]any{"exp": expires.Add(-2 * time.Hour).Unix()})),
			"stranger": sign(t, key, claims(map[string]any{"iss": poolIssuer + "x"})),
			"forged":   sign(t, stranger, claims(nil)),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	runScript(t, s, python, "access", string(given))
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes a token as Cognito does.
func sign(t *testing.T, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", poolKey))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

package ecr

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	// tokenLife is how long a token is good for (API Reference:
	// GetAuthorizationToken).
	tokenLife = 12 * time.Hour
	// tokenUser is the user name that goes with every token.
	tokenUser = "AWS"
)

// bearer is what a token says: on whose behalf it speaks.
type bearer struct {
	Account, Region, ARN string
	UserID, UserName     string `json:",omitempty"`
	AccessKeyID          string
	Expires              int64
}

// loadSecret returns the key of tokens, which outlives the server.
func (s *Service) loadSecret(ctx context.Context) (secret []byte, err error) {
	return secret, s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := secrets.Get(tx, "token")
		if err != nil {
			return err
		}
		if have == nil {
			have = wire.Ptr(ident.Bytes(32))
			err = secrets.Put(tx, have, "token")
		}
		secret = *have
		return err
	})
}

// GetAuthorizationToken returns a token with which the registry takes its
// bearer for the caller.
func (s *Service) GetAuthorizationToken(ctx context.Context, in *ecrapi.GetAuthorizationTokenRequest) (*ecrapi.GetAuthorizationTokenResponse, error) {
	c := wire.CallerFrom(ctx)
	expires := s.Clock.Now().Add(tokenLife).UTC()
	claims, err := json.Marshal(bearer{c.Account, c.Region, c.ARN, c.UserID, c.UserName, c.AccessKeyID, expires.Unix()})
	if err != nil {
		return nil, err
	}
	token := base64.StdEncoding.EncodeToString([]byte(tokenUser + ":" + s.seal(claims)))
	out := &ecrapi.GetAuthorizationTokenResponse{}
	// One token is good for all registries; AWS answers one entry for each.
	for range max(1, len(in.RegistryIds)) {
		out.AuthorizationData = append(out.AuthorizationData, ecrapi.AuthorizationData{
			AuthorizationToken: &token, ExpiresAt: &expires, ProxyEndpoint: wire.Ptr("http://" + s.Host),
		})
	}
	return out, nil
}

func (s *Service) seal(claims []byte) string {
	text := base64.RawURLEncoding.EncodeToString(claims)
	return text + "." + base64.RawURLEncoding.EncodeToString(s.sign(text))
}

func (s *Service) sign(text string) []byte {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// bearerOf returns who a password speaks for, nil if it is none of ours or too
// old.
func (s *Service) bearerOf(user, password string) *wire.Caller {
	text, signature, _ := strings.Cut(password, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || user != tokenUser || !hmac.Equal(given, s.sign(text)) {
		return nil
	}
	claims, err := base64.RawURLEncoding.DecodeString(text)
	var b bearer
	if err != nil || json.Unmarshal(claims, &b) != nil || s.Clock.Now().Unix() >= b.Expires {
		return nil
	}
	return &wire.Caller{
		Account: b.Account, Region: b.Region, Partition: "aws", ARN: b.ARN, UserID: b.UserID, UserName: b.UserName, AccessKeyID: b.AccessKeyID,
	}
}

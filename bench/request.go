package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// key is an access key.
type key struct{ id, secret string }

// request writes down a signed request of an AWS JSON API as the account's
// root user.
func (s *server) request(ctx context.Context, keyID, service, target, body string) ([]byte, error) {
	return s.signed(ctx, key{keyID, "butai"}, service, target, body)
}

// signed writes down a signed request of an AWS JSON API.
func (s *server) signed(ctx context.Context, k key, service, target, body string) ([]byte, error) {
	return s.signedTo(ctx, k, service, "/", map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target}, body)
}

// signedTo writes down a signed request. It is good for five minutes, as on
// AWS.
func (s *server) signedTo(ctx context.Context, k key, service, path string, headers map[string]string, body string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret}
	if err := v4.NewSigner().SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = r.Write(&b)
	return b.Bytes(), err
}

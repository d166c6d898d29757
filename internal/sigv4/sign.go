package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Credentials are what Sign signs with. SessionToken is empty for long-lived
// keys.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// Sign signs r, whose body is body, in its Authorization header. It leaves
// r.Body alone.
func Sign(ctx context.Context, r *http.Request, body []byte, creds Credentials, service, region string, now time.Time) error {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	signer := v4.NewSigner(func(o *v4.SignerOptions) {
		// S3 signs the path as it is sent; the others escape it once more.
		o.DisableURIPathEscaping = service == "s3"
	})
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	return signer.SignHTTP(ctx, aws.Credentials{
		AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey, SessionToken: creds.SessionToken,
	}, r, hash, service, region, now)
}

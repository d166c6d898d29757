package cloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/butai-dev/butai/internal/clock"
)

// bucket is an S3 bucket, reached with the SDK's credentials, signer, client
// and patience. The SDK's own S3 client would add 5 MB to butai for five calls.
type bucket struct {
	cfg     aws.Config
	name    string
	address string // what keys are added to
	signer  *v4.Signer
	retryer aws.Retryer
}

// newBucket is a bucket of the configured region.
func newBucket(cfg aws.Config, name string) *bucket {
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = awshttp.NewBuildableClient()
	}
	return &bucket{
		cfg: cfg, name: name, address: bucketAddress(cfg, name), retryer: cfg.Retryer(),
		// S3 signs a path as it is sent, where other services escape it again.
		signer: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
	}
}

// bucketAddress names the bucket in the host, as S3 recommends, unless the
// endpoint isn't AWS's or its certificate doesn't cover such a name.
func bucketAddress(cfg aws.Config, name string) string {
	at := os.Getenv("AWS_ENDPOINT_URL_S3")
	if at == "" {
		at = endpoint(cfg)
	}
	if at != "" {
		return strings.TrimSuffix(at, "/") + "/" + name + "/"
	}
	host := "s3." + cfg.Region + ".amazonaws.com"
	if strings.HasPrefix(cfg.Region, "cn-") {
		host += ".cn"
	}
	if strings.Contains(name, ".") {
		return "https://" + host + "/" + name + "/"
	}
	return "https://" + name + "." + host + "/"
}

// object is what an object holds, and the tag that a write of it may ask for.
type object struct {
	data []byte
	etag string
}

// get reads an object; nil if there is none.
func (b *bucket) get(ctx context.Context, key string) (*object, error) {
	res, data, err := b.call(ctx, http.MethodGet, key, nil, nil, nil)
	if is(err, "NoSuchKey") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &object{data, res.Header.Get("ETag")}, nil
}

// Conditions of a write, which S3 refuses with PreconditionFailed otherwise.
func ifNew() http.Header { return http.Header{"If-None-Match": {"*"}} }

func ifStill(o *object) http.Header { return http.Header{"If-Match": {o.etag}} }

// put writes an object under a condition, or without one.
func (b *bucket) put(ctx context.Context, key string, data []byte, condition http.Header) error {
	_, _, err := b.call(ctx, http.MethodPut, key, nil, condition, data)
	return err
}

// list returns the keys of a prefix that come after one, in order.
func (b *bucket) list(ctx context.Context, prefix, after string) ([]string, error) {
	var keys []string
	query := url.Values{"list-type": {"2"}, "prefix": {prefix}, "start-after": {after}}
	for {
		_, data, err := b.call(ctx, http.MethodGet, "", query, nil, nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			Contents              []struct{ Key string }
			IsTruncated           bool
			NextContinuationToken string
		}
		if err := xml.Unmarshal(data, &page); err != nil {
			return nil, fmt.Errorf("list bucket %s: %w", b.name, err)
		}
		for _, o := range page.Contents {
			keys = append(keys, o.Key)
		}
		if !page.IsTruncated {
			return keys, nil
		}
		query.Set("continuation-token", page.NextContinuationToken)
	}
}

// create makes the bucket, unless it is there.
func (b *bucket) create(ctx context.Context) error {
	_, _, err := b.call(ctx, http.MethodHead, "", nil, nil, nil)
	if !is(err, "NotFound") {
		return err
	}
	var body []byte
	if b.cfg.Region != "us-east-1" {
		body = fmt.Appendf(nil, `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>`, b.cfg.Region)
	}
	if _, _, err = b.call(ctx, http.MethodPut, "", nil, nil, body); is(err, "BucketAlreadyOwnedByYou") {
		return nil
	}
	return err
}

// call sends a signed request until it is answered or patience ends, and reads
// the answer.
func (b *bucket) call(ctx context.Context, method, key string, query url.Values, header http.Header, body []byte) (*http.Response, []byte, error) {
	for attempt := 1; ; attempt++ {
		res, data, err := b.try(ctx, method, key, query, header, body)
		if err == nil || attempt >= b.retryer.MaxAttempts() || !b.retryer.IsErrorRetryable(err) {
			return res, data, err
		}
		delay, err := b.retryer.RetryDelay(attempt, err)
		if err != nil {
			return nil, nil, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(delay):
		}
	}
}

func (b *bucket) try(ctx context.Context, method, key string, query url.Values, header http.Header, body []byte) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, b.address+key, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.URL.RawQuery = query.Encode()
	maps.Copy(req.Header, header)
	credentials, err := b.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	if err := b.signer.SignHTTP(ctx, credentials, req, hash, "s3", b.cfg.Region, clock.System{}.Now()); err != nil {
		return nil, nil, err
	}
	res, err := b.cfg.HTTPClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, nil, err
	}
	if res.StatusCode/100 != 2 {
		return nil, nil, readBucketError(res, data)
	}
	return res, data, nil
}

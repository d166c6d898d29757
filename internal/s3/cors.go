package s3

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
)

const maxCORSRules = 100

var corsMethods = []string{"GET", "PUT", "HEAD", "POST", "DELETE"}

// PutBucketCors sets which web pages may use the bucket.
func (s *Service) PutBucketCors(ctx context.Context, in *s3api.PutBucketCorsRequest) error {
	_, _ = in.ContentMD5, in.ChecksumAlgorithm // of a body that the signature covers
	rules := in.CORSConfiguration.CORSRules
	if len(rules) == 0 {
		return malformedXML()
	}
	if len(rules) > maxCORSRules {
		return invalidRequest("The number of CORS rules should not exceed allowed limit of 100 rules.")
	}
	for i := range rules {
		if err := checkCORS(&rules[i]); err != nil {
			return err
		}
	}
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.CORS = rules
		return nil
	})
}

func invalidRequest(message string) error {
	return failure(http.StatusBadRequest, "InvalidRequest", message)
}

func checkCORS(rule *s3api.CORSRule) error {
	if len(rule.AllowedMethods) == 0 || len(rule.AllowedOrigins) == 0 || len(wire.Val(rule.ID)) > 255 {
		return malformedXML()
	}
	for _, method := range rule.AllowedMethods {
		if !slices.Contains(corsMethods, method) {
			return invalidRequest("Found unsupported HTTP method in CORS config. Unsupported method is " + method)
		}
	}
	for element, values := range map[string][]string{"AllowedOrigin": rule.AllowedOrigins, "AllowedHeader": rule.AllowedHeaders} {
		for _, value := range values {
			if strings.Count(value, "*") > 1 {
				return invalidRequest(element + ` "` + value + `" can not have more than one wildcard.`)
			}
		}
	}
	for _, value := range rule.ExposeHeaders {
		if strings.Contains(value, "*") {
			return invalidRequest(`ExposeHeader "` + value + `" contains wildcard. We currently do not support wildcard for ExposeHeader.`)
		}
	}
	return nil
}

// GetBucketCors returns which web pages may use the bucket.
func (s *Service) GetBucketCors(ctx context.Context, in *s3api.GetBucketCorsRequest) (*s3api.GetBucketCorsOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	switch {
	case err != nil:
		return nil, err
	case b.CORS == nil:
		return nil, b.lacks("NoSuchCORSConfiguration", "The CORS configuration does not exist")
	}
	return &s3api.GetBucketCorsOutput{CORSRules: b.CORS}, nil
}

// DeleteBucketCors lets no web pages use the bucket.
func (s *Service) DeleteBucketCors(ctx context.Context, in *s3api.DeleteBucketCorsRequest) error {
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.CORS = nil
		return nil
	})
}

// AllowOrigin implements wire.CrossOriginPolicy (recorded: which headers, and
// what browsers are told).
func (s *Service) AllowOrigin(ctx context.Context, q *wire.CrossOrigin) (*wire.OriginGrant, error) {
	name, key := split(q.Path)
	refuse := func(message string) error {
		kind, method := "BUCKET", q.Method
		if key != "" {
			kind = "OBJECT"
		}
		if method == "" {
			method = http.MethodOptions
		}
		err := failure(http.StatusForbidden, "AccessForbidden", "CORSResponse: "+message)
		return &wire.About{Member: "Method", Value: method, Err: &wire.About{Member: "ResourceType", Value: kind, Err: err}}
	}
	b := s.seek(ctx, name)
	switch {
	case b == nil:
		return nil, refuse("Bucket not found")
	case b.CORS == nil:
		return nil, refuse("CORS is not enabled for this bucket.")
	case q.Method == "":
		return nil, failure(http.StatusBadRequest, "BadRequest", "Invalid Access-Control-Request-Method: null")
	}
	for i := range b.CORS {
		if grant := allow(&b.CORS[i], q); grant != nil {
			return grant, nil
		}
	}
	return nil, refuse("This CORS request is not allowed. This is usually because the evalution of Origin, request method / " +
		"Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
}

// split parts a path into the bucket and the key.
func split(path string) (bucket, key string) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return bucket, key
}

// allow returns what a rule lets q do, nil if it doesn't allow it.
func allow(rule *s3api.CORSRule, q *wire.CrossOrigin) *wire.OriginGrant {
	at := slices.IndexFunc(rule.AllowedOrigins, func(pattern string) bool { return oneWildcard(pattern, q.Origin) })
	if at < 0 || !slices.Contains(rule.AllowedMethods, q.Method) {
		return nil
	}
	for _, name := range q.Headers {
		if !slices.ContainsFunc(rule.AllowedHeaders, func(pattern string) bool { return oneWildcard(strings.ToLower(pattern), name) }) {
			return nil
		}
	}
	return &wire.OriginGrant{
		AnyOrigin: rule.AllowedOrigins[at] == "*", Methods: rule.AllowedMethods, Headers: q.Headers,
		Expose: rule.ExposeHeaders, MaxAge: rule.MaxAgeSeconds,
	}
}

// oneWildcard matches a pattern with at most one *.
func oneWildcard(pattern, text string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	return len(text) >= len(before)+len(after) && strings.HasPrefix(text, before) && strings.HasSuffix(text, after)
}

// Holds implements wire.PublicService.
func (s *Service) Holds(ctx context.Context, bucket string) bool {
	return bucket != "" && s.seek(ctx, bucket) != nil
}

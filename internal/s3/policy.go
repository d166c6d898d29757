package s3

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/wire"
)

// maxPolicy is in bytes (S3 User Guide: "Bucket policies").
const maxPolicy = 20 << 10

// PutBucketPolicy sets who may do what with the bucket beside what their own
// policies say.
func (s *Service) PutBucketPolicy(ctx context.Context, in *s3api.PutBucketPolicyRequest) error {
	_, _ = in.ContentMD5, in.ChecksumAlgorithm // of a body that the signature covers
	_ = in.ConfirmRemoveSelfBucketAccess       // S3 lets callers lock themselves out without it, too
	text := jsontext.Value(*in.Policy)
	if len(text) == 0 || text[0] != '{' {
		return malformedPolicy("Policies must be valid JSON and the first byte must be '{'", "")
	}
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		if err := b.ownersOnly(ctx); err != nil {
			return err
		}
		if err := s.checkPolicy(b, text); err != nil {
			return err
		}
		doc, err := policy.Parse(text, policy.Resource)
		if err != nil {
			return err // it was checked
		}
		if c := wire.CallerFrom(ctx); doc.Public() && wire.Val(b.accessBlock().BlockPublicPolicy) {
			return &s3api.AccessDenied{Message: wire.Ptr("User: " + c.ARN + " is not authorized to perform: s3:PutBucketPolicy on resource: \"" +
				bucketARN(b.Name) + "\" because public policies are blocked by the BlockPublicPolicy block public access setting.")}
		}
		compact := text.Clone()
		if err := compact.Compact(); err != nil {
			return err
		}
		b.Policy = string(compact)
		return nil
	})
}

// ownersOnly refuses callers of other accounts, whom no policy can let in here.
func (b *bucket) ownersOnly(ctx context.Context) error {
	if account(ctx) != b.Account {
		return failure(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
	return nil
}

func malformedPolicy(message, detail string) error {
	err := failure(http.StatusBadRequest, "MalformedPolicy", message)
	if detail != "" {
		err = &wire.About{Member: "Detail", Value: detail, Err: err}
	}
	return err
}

// checkPolicy refuses what S3 refuses, in its words.
func (s *Service) checkPolicy(b *bucket, text []byte) error {
	var top map[string]jsontext.Value
	switch {
	case len(text) > maxPolicy:
		return malformedPolicy("Policy exceeds the maximum allowed document size.", "")
	case json.Unmarshal(text, &top) != nil:
		return malformedPolicy("This policy contains invalid Json", "")
	case top["Statement"] == nil:
		return malformedPolicy("Missing required field Statement", "")
	}
	if _, err := policy.Parse(text, policy.Resource); err != nil {
		return wordPolicyError(err)
	}
	for _, ref := range policy.Principals(text) {
		a, err := arn.Parse(ref.Value)
		// Of other accounts butai may know nothing, so theirs pass.
		if ref.Type == "AWS" && err == nil && a.Service == "iam" && a.Account == b.Account && !s.IAM.Exists(ref.Value) {
			return invalidPrincipal(ref.Type, ref.Value)
		}
	}
	for _, r := range policy.Reaches(text) {
		if err := checkReach(b, &r); err != nil {
			return err
		}
		for _, key := range r.ConditionKeys {
			if err := checkConditionKey(key); err != nil {
				return err
			}
		}
	}
	return nil
}

func invalidPrincipal(kind, value string) error {
	return malformedPolicy("Invalid principal in policy", strconv.Quote(kind)+" : "+strconv.Quote(value))
}

// wordPolicyError puts what is wrong with a document into S3's words.
func wordPolicyError(err error) error {
	refused, ok := errors.AsType[*policy.Error](err)
	if !ok {
		return err
	}
	if ref, ok := strings.CutPrefix(refused.Message, `Invalid principal in policy: "`); ok {
		kind, value, _ := strings.Cut(strings.TrimSuffix(ref, `"`), `":"`)
		if kind == "SERVICE" {
			kind = "Service"
		}
		return invalidPrincipal(kind, value)
	}
	return malformedPolicy(strings.Replace(refused.Message, "Syntax errors in policy.", "Invalid policy syntax.", 1), "")
}

// checkReach makes sure that a statement is about actions of S3 on what is in
// the bucket.
func checkReach(b *bucket, r *policy.Reach) error {
	var resources reach
	for _, resource := range r.Resources {
		found := resourceReach(b.Name, resource)
		if found == (reach{}) {
			return malformedPolicy("Policy has invalid resource", resource)
		}
		resources = reach{resources.bucket || found.bucket, resources.objects || found.objects}
	}
	for _, action := range r.Actions {
		switch found := actionReach(action); {
		case found == (reach{}):
			return malformedPolicy("Policy has invalid action", action)
		case !r.NotResource && !found.meets(resources):
			return malformedPolicy("Action does not apply to any resource(s) in statement", "")
		}
	}
	return nil
}

func (b *bucket) lacksPolicy() error {
	return b.lacks("NoSuchBucketPolicy", "The bucket policy does not exist")
}

// GetBucketPolicy returns the bucket's policy.
func (s *Service) GetBucketPolicy(ctx context.Context, in *s3api.GetBucketPolicyRequest) (*s3api.GetBucketPolicyOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err == nil {
		err = b.ownersOnly(ctx)
	}
	switch {
	case err != nil:
		return nil, err
	case b.Policy == "":
		return nil, b.lacksPolicy()
	}
	return &s3api.GetBucketPolicyOutput{Policy: &b.Policy}, nil
}

// GetBucketPolicyStatus tells whether the bucket's policy lets anybody in.
func (s *Service) GetBucketPolicyStatus(ctx context.Context, in *s3api.GetBucketPolicyStatusRequest) (*s3api.GetBucketPolicyStatusOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	switch {
	case err != nil:
		return nil, err
	case b.Policy == "":
		return nil, b.lacksPolicy()
	}
	doc, err := policy.Parse([]byte(b.Policy), policy.Resource)
	if err != nil {
		return nil, err
	}
	return &s3api.GetBucketPolicyStatusOutput{PolicyStatus: &s3api.PolicyStatus{IsPublic: wire.Ptr(doc.Public())}}, nil
}

// DeleteBucketPolicy removes the bucket's policy, if it has one.
func (s *Service) DeleteBucketPolicy(ctx context.Context, in *s3api.DeleteBucketPolicyRequest) error {
	return s.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		if err := b.ownersOnly(ctx); err != nil {
			return err
		}
		b.Policy = ""
		return nil
	})
}

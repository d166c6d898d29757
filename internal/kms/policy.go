package kms

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// policyName is the only one that a key's policy can have.
const policyName = "default"

// maxPolicy is the limit of a key policy, in bytes.
const maxPolicy = 32 << 10

func rootOf(account string) string { return arn.New("iam", "", account, "root").String() }

// defaultPolicy hands a key over to its account's IAM policies.
func defaultPolicy(account string) string {
	return pretty([]byte(`{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow",` +
		`"Principal":{"AWS":"` + rootOf(account) + `"},"Action":"kms:*","Resource":"*"}]}`))
}

// managedPolicy opens an AWS managed key to everybody in the account who uses
// it through its service.
func managedPolicy(account, region, service string) string {
	return pretty([]byte(`{"Version":"2012-10-17","Id":"auto-` + service + `-1","Statement":[{"Sid":"Allow access through ` + service +
		` for all principals in the account that are authorized to use it","Effect":"Allow","Principal":{"AWS":"*"},` +
		`"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:CreateGrant","kms:DescribeKey"],"Resource":"*",` +
		`"Condition":{"StringEquals":{"kms:ViaService":"` + viaService(service, region) + `","kms:CallerAccount":"` + account + `"}}},` +
		`{"Sid":"Allow direct access to key metadata to the account","Effect":"Allow","Principal":{"AWS":"` + rootOf(account) + `"},` +
		`"Action":["kms:Describe*","kms:Get*","kms:List*","kms:RevokeGrant"],"Resource":"*"}]}`))
}

// viaService is the condition key kms:ViaService for a service in a region.
func viaService(service, region string) string { return service + "." + region + ".amazonaws.com" }

// pretty prints a policy as KMS gives it back: a member a line, lists along
// the line, a blank on either side of a colon.
func pretty(doc []byte) string {
	var b strings.Builder
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	prettyValue(&b, d, 0)
	return b.String()
}

func prettyValue(b *strings.Builder, d *json.Decoder, depth int) {
	t, err := d.Token()
	if err != nil {
		return
	}
	delim, nested := t.(json.Delim)
	if !nested {
		b.WriteString(scalar(t))
		return
	}
	if delim == '[' {
		prettyList(b, d, depth)
		return
	}
	b.WriteString("{")
	for n := 0; d.More(); n++ {
		if n > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n" + strings.Repeat("  ", depth+1))
		prettyValue(b, d, depth+1) // the name
		b.WriteString(" : ")
		prettyValue(b, d, depth+1)
	}
	_, _ = d.Token()
	b.WriteString("\n" + strings.Repeat("  ", depth) + "}")
}

// scalar is a token as JSON, without escapes that only web pages need.
func scalar(t json.Token) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(t) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func prettyList(b *strings.Builder, d *json.Decoder, depth int) {
	b.WriteString("[ ")
	for n := 0; d.More(); n++ {
		if n > 0 {
			b.WriteString(", ")
		}
		prettyValue(b, d, depth)
	}
	_, _ = d.Token()
	b.WriteString(" ]")
}

func malformed(text string) error {
	return &kmsapi.MalformedPolicyDocumentException{Message: &text}
}

// checkPolicy reads a key's new policy. It must keep a way open to change it
// again, unless the request does without that.
func (s *Service) checkPolicy(caller *wire.Caller, k *key, text string, bypass *bool) (string, error) {
	if len(text) > maxPolicy {
		return "", &kmsapi.LimitExceededException{Message: wire.Ptr("The key policy is larger than 32 KB.")}
	}
	doc, err := policy.Parse([]byte(text), policy.Resource)
	if err != nil {
		return "", malformed(err.Error())
	}
	for _, principal := range doc.Principals() {
		if strings.HasPrefix(principal, "arn:aws:iam::"+k.Account+":") && !s.Authorizer.Exists(principal) {
			return "", malformed("Policy contains a statement with one or more invalid principals.")
		}
	}
	if wire.Val(bypass) {
		return pretty([]byte(text)), nil
	}
	target := wire.IAMTarget{Action: "kms:PutKeyPolicy", Resource: k.arn(), Policy: text, NeedPolicy: true}
	root := &wire.Caller{Account: k.Account, Region: k.Region, ARN: rootOf(k.Account), UserID: k.Account}
	if s.Authorizer.Authorize(context.Background(), root, target) != "" && s.Authorizer.Authorize(context.Background(), caller, target) != "" {
		return "", malformed("The new key policy will not allow you to update the key policy in the future.")
	}
	return pretty([]byte(text)), nil
}

// PutKeyPolicy replaces a key's policy.
func (s *Service) PutKeyPolicy(ctx context.Context, in *kmsapi.PutKeyPolicyRequest) error {
	if err := onlyDefault(in.PolicyName); err != nil {
		return err
	}
	c := wire.CallerFrom(ctx)
	k, err := s.find(ctx, c, *in.KeyId)
	if err != nil {
		return err
	}
	text, err := s.checkPolicy(c, k, *in.Policy, in.BypassPolicyLockoutSafetyCheck)
	if err != nil {
		return err
	}
	return s.edit(ctx, in.KeyId, func(_ store.Tx, k *key) error {
		if k.Service != "" {
			return unsupported("%s key manager is AWS which is not valid for this operation.", k.arn())
		}
		k.Policy = text
		return k.deletionDue()
	})
}

func onlyDefault(name *string) error {
	if name != nil && *name != policyName {
		return notFound("No such policy exists")
	}
	return nil
}

// GetKeyPolicy returns a key's policy.
func (s *Service) GetKeyPolicy(ctx context.Context, in *kmsapi.GetKeyPolicyRequest) (*kmsapi.GetKeyPolicyResponse, error) {
	out := &kmsapi.GetKeyPolicyResponse{PolicyName: wire.Ptr(policyName)}
	err := s.read(ctx, in.KeyId, func(_ store.ReadTx, k *key) error {
		out.Policy = &k.Policy
		return onlyDefault(in.PolicyName)
	})
	return out, err
}

// ListKeyPolicies lists the name that a key's policy has.
func (s *Service) ListKeyPolicies(ctx context.Context, in *kmsapi.ListKeyPoliciesRequest) (*kmsapi.ListKeyPoliciesResponse, error) {
	out := &kmsapi.ListKeyPoliciesResponse{}
	err := s.read(ctx, in.KeyId, func(store.ReadTx, *key) (err error) {
		out.PolicyNames, out.NextMarker, out.Truncated, err = page([]string{policyName}, in.Marker, in.Limit, 100)
		return err
	})
	return out, err
}

package release

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/release/plan"
)

// calledFunction finds the function and the alias's variable in an
// integration's URI.
var calledFunction = regexp.MustCompile(`:function:([A-Za-z0-9_-]+)(?::([^/]+))?/(?:response-streaming-)?invocations$`)

// Called returns the function that an integration calls and the qualifier it
// names, "" if it names none.
func (i Integration) Called() (function, qualifier string) {
	if m := calledFunction.FindStringSubmatch(i.URI); m != nil {
		return m[1], m[2]
	}
	return "", ""
}

// permissions fails if API Gateway may not call an alias for some method of
// the API, and says what would let it.
func (e *Engine) permissions(ctx context.Context, r *plan.Release) error {
	missing, err := e.MissingPermissions(ctx, r.Stage, r.Alias)
	if err != nil || len(missing) == 0 {
		return err
	}
	return fmt.Errorf("API Gateway may not call:\n  %s", strings.Join(missing, "\n  "))
}

// roles fails if API Gateway calls some function as a role, unless
// butai.yaml says that such roles may call the aliases that releases make:
// their policies can't be read with the permissions that a release has.
func (e *Engine) roles(ctx context.Context) error {
	if e.Config.RolesCallPins {
		return nil
	}
	all, err := e.Gateway.Integrations(ctx)
	if err != nil {
		return err
	}
	for _, i := range all {
		fn, qualifier := i.Called()
		if i.Role != "" && slices.Contains(e.Config.Functions, fn) && strings.Contains(qualifier, "${") {
			return fmt.Errorf("%s calls %s as %s, which must be allowed to call %s:%s* too; if it is, say rolesCallPins: true in butai.yaml",
				i, fn, i.Role, fn, e.pinPrefix())
		}
	}
	return nil
}

// authorizerARN is what API Gateway calls an authorizer's function in the
// name of.
func (e *Engine) authorizerARN(id string) string {
	return fmt.Sprintf("arn:%s:execute-api:%s:%s:%s/authorizers/%s", e.Account.Partition, e.Account.Region, e.Account.ID, e.Config.API, id)
}

// MissingPermissions lists what API Gateway may not call in the name of a
// stage, each with the command that would let it.
func (e *Engine) MissingPermissions(ctx context.Context, stage, alias string) ([]string, error) {
	all, err := e.Gateway.Integrations(ctx)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, fn := range e.Config.Functions {
		a, err := e.Functions.Alias(ctx, fn, alias)
		if err != nil {
			return nil, err
		}
		if a == nil {
			missing = append(missing, fmt.Sprintf("%s: it has no alias %s: aws lambda create-alias --function-name %s --name %s --function-version VERSION", fn, alias, fn, alias))
			continue
		}
		text, err := e.Functions.Policy(ctx, fn, alias)
		if err != nil {
			return nil, err
		}
		var doc *policy.Document
		if text != "" {
			if doc, err = policy.Parse([]byte(text), policy.Resource); err != nil {
				return nil, fmt.Errorf("policy of %s:%s: %w", fn, alias, err)
			}
		}
		for _, i := range all {
			// A role needs no permission of the function's policy.
			if called, _ := i.Called(); called != fn || i.Role != "" {
				continue
			}
			source, wide := e.sourceARN(stage, i.Method, i.Path), e.sourceARN(stage, "*", "/*")
			if i.Authorizer != "" {
				source = e.authorizerARN(i.Authorizer)
				wide = source
			}
			if !e.allows(doc, fn+":"+alias, source) {
				missing = append(missing, fmt.Sprintf("%s:%s for %s: aws lambda add-permission --function-name %s --qualifier %s "+
					"--statement-id apigateway-%s --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn '%s'",
					fn, alias, i, fn, alias, stage, wide))
				break
			}
		}
	}
	return missing, nil
}

// allows reports whether an alias's policy lets API Gateway in.
func (e *Engine) allows(doc *policy.Document, function, source string) bool {
	req := policy.Request{
		Principal: policy.Principal{Kind: policy.Service, Name: "apigateway.amazonaws.com"}, Action: "lambda:InvokeFunction",
		Resource:        fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", e.Account.Partition, e.Account.Region, e.Account.ID, function),
		ResourceAccount: e.Account.ID, ResourcePolicy: doc, Context: policy.Context{},
	}
	req.Context.Set("aws:SourceArn", source)
	req.Context.Set("aws:SourceAccount", e.Account.ID)
	return policy.Evaluate(&req).Allowed
}

package gateway

import "github.com/butai-dev/butai/internal/iam/policy"

// privateDomain is a compiled PrivateDomain.
type privateDomain struct {
	arn       string
	policy    *policy.Document // nil lets nobody in
	endpoints []string
}

func compilePrivate(d *PrivateDomain) (*privateDomain, error) {
	if d == nil {
		return nil, nil
	}
	compiled := &privateDomain{arn: d.ARN, endpoints: d.VPCEndpoints}
	if d.Policy == "" {
		return compiled, nil
	}
	var err error
	compiled.policy, err = policy.Parse([]byte(d.Policy), policy.Resource)
	return compiled, err
}

// reachable reports whether there is a way to the domain. Public ones are nil.
func (d *privateDomain) reachable() bool { return d == nil || len(d.endpoints) > 0 }

// enter notes that the request came through a private domain.
func (t *Target) enter(d *privateDomain) {
	if d != nil {
		t.private, t.VPCEndpoint = d, d.endpoints[0]
	}
}

// authorizeDomain asks the policy of the private domain that a request came
// through. The API's own policy and authorization are asked after it
// (developer guide, "Custom domain names for private APIs in API Gateway").
func (x *exchange) authorizeDomain() *failure {
	d := x.target.private
	if d == nil {
		return nil
	}
	req := x.question()
	req.Resource, req.ResourcePolicy, req.Context = d.arn, d.policy, x.conditions()
	return x.judge(policy.Evaluate(req), req)
}

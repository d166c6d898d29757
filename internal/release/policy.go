package release

import "fmt"

// Statement is one statement of an IAM policy.
type Statement struct {
	Sid      string
	Effect   string
	Action   []string
	Resource []string
}

// Policy is an IAM policy.
type Policy struct {
	Version   string
	Statement []Statement
}

// MinimalPolicy is what the commands need, and no more: this API, these
// functions, these records. Tests run them with it.
func (e *Engine) MinimalPolicy() *Policy {
	a, c := e.Account, e.Config
	api := fmt.Sprintf("arn:%s:apigateway:%s::/restapis/%s", a.Partition, a.Region, c.API)
	var functions, qualified []string
	for _, fn := range c.Functions {
		arn := fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", a.Partition, a.Region, a.ID, fn)
		functions, qualified = append(functions, arn), append(qualified, arn+":*")
	}
	both := append(append([]string{}, functions...), qualified...)
	allow := func(sid string, resources []string, actions ...string) Statement {
		return Statement{Sid: sid, Effect: "Allow", Action: actions, Resource: resources}
	}
	statements := []Statement{
		allow("Gateway", []string{api, api + "/*"}, "apigateway:GET"),
		allow("Deploy", []string{api + "/deployments"}, "apigateway:POST"),
		allow("MoveStages", []string{api + "/stages", api + "/stages/*"}, "apigateway:POST", "apigateway:PATCH", "apigateway:DELETE"),
		allow("PinIntegrations", []string{api + "/resources/*/methods/*/integration", api + "/authorizers/*"}, "apigateway:PATCH"),
		allow("PruneDeployments", []string{api + "/deployments/*"}, "apigateway:DELETE"),
		allow("Functions", both, "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:ListVersionsByFunction",
			"lambda:PublishVersion", "lambda:GetAlias", "lambda:ListAliases", "lambda:CreateAlias", "lambda:UpdateAlias", "lambda:DeleteAlias",
			"lambda:GetPolicy", "lambda:AddPermission"),
		allow("PruneVersions", qualified, "lambda:DeleteFunction"),
		allow("Metrics", []string{"*"}, "cloudwatch:GetMetricData"),
	}
	if bucket, prefix, ok := c.Bucket(); ok {
		name := fmt.Sprintf("arn:%s:s3:::%s", a.Partition, bucket)
		// Listing decides, too, whether a missing object is 404 or 403.
		statements = append(statements, allow("RecordsBucket", []string{name}, "s3:CreateBucket", "s3:ListBucket"),
			allow("Records", []string{name + "/" + prefix + c.API + "/*"}, "s3:GetObject", "s3:PutObject"))
	} else {
		table := fmt.Sprintf("arn:%s:dynamodb:%s:%s:table/%s", a.Partition, a.Region, a.ID, c.Records)
		statements = append(statements, allow("Records", []string{table}, "dynamodb:CreateTable", "dynamodb:DescribeTable",
			"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"))
	}
	var domains, rules []string
	for _, s := range c.Stages {
		if s.Domain != "" {
			arn := fmt.Sprintf("arn:%s:apigateway:%s::/domainnames/%s", a.Partition, a.Region, s.Domain)
			domains = append(domains, arn, arn+"/basepathmappings")
			rules = append(rules, fmt.Sprintf("arn:%s:apigateway:%s:%s:/domainnames/%s/routingrules/*", a.Partition, a.Region, a.ID, s.Domain))
		}
	}
	if len(domains) > 0 {
		statements = append(statements, allow("Domains", domains, "apigateway:GET"),
			allow("Dark", rules, "apigateway:ListRoutingRules", "apigateway:CreateRoutingRule", "apigateway:DeleteRoutingRule"))
	}
	if a.Endpoint != "" { // simulate is for butai alone; AWS has no such action
		statements = append(statements, allow("Simulate", []string{"*"}, "butai:PutFault"))
	}
	return &Policy{Version: "2012-10-17", Statement: statements}
}

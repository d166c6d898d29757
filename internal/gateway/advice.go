package gateway

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/arn"
)

// advice is what to do about an answer that the gateway made itself, by a
// line of the execution log. It is worked out when somebody reads the trace.
type advice struct {
	line string // part of the line that tells the cause
	fix  func(r *record, line string) string
}

// adviceByCause goes from the special to the general.
var adviceByCause = []advice{
	{"Invalid permissions on Lambda function", permissionFix},
	{"Rate Exceeded.", always("The function has no concurrency left: raise its reserved concurrency (aws lambda put-function-concurrency), or call it less often.")},
	{"Lambda invocation failed with status: 400", always("Lambda takes JSON only, and what the request template rendered is none: the trace shows the text under integration request.")},
	{"Malformed Lambda proxy response", always(`The function must return an object with no other members than statusCode (a number), headers, multiValueHeaders, body (a string) and isBase64Encoded: serialize body, and drop the rest.`)},
	{"Permission denied: '/var/task/", always("The file may not be read by others than its owner, and AWS's Lambda keeps the modes of a zip as well: give it mode 644 (755 for programs) and zip again. Python's zipfile.writestr makes 600 of plain names.")},
	{"due to customer function error", func(r *record, _ string) string {
		return "The function itself failed: its error is under integration answer, its output in butai logs " + functionName(r.m.function.arn) + "."
	}},
	{"due to a timeout error", func(r *record, _ string) string {
		return fmt.Sprintf("The integration didn't answer within its timeout of %d ms: make what is behind it faster, or raise timeoutInMillis (29,000 at most).", r.m.timeout.Milliseconds())
	}},
	{"No integration defined for method", methodFix("has no integration: put one (aws apigateway put-integration) and deploy again")},
	{"Output mapping refers to an invalid method response: ", func(r *record, line string) string {
		status := line[strings.LastIndexByte(line, ' ')+1:]
		return fmt.Sprintf("The integration response %s has no method response: aws apigateway put-method-response --rest-api-id %s --resource-id %s --http-method %s --status-code %s%s",
			status, r.target.APIID, r.m.resourceID, r.m.verb, status, r.thenDeploy())
	}},
	{"No match for output mapping", func(r *record, _ string) string {
		return fmt.Sprintf("No selection pattern covers %q and there is no default integration response: add one without a selection pattern (aws apigateway put-integration-response --rest-api-id %s --resource-id %s --http-method %s --status-code 200)%s",
			r.call.selector, r.target.APIID, r.m.resourceID, r.m.verb, r.thenDeploy())
	}},
	{"Unable to parse statusCode", always(`A MOCK integration's request template must render an object with an integer statusCode, such as {"statusCode": 200}; it needs a template for the request's Content-Type.`)},
	{"Unable to transform request", func(r *record, line string) string { return r.templateFix("request", line) }},
	{"Unable to transform response", func(r *record, line string) string { return r.templateFix("response", line) }},
	{" header already present", func(_ *record, line string) string {
		name := strings.TrimSuffix(line, " header already present")
		return "API Gateway sets the header " + name[strings.LastIndexByte(name, ' ')+1:] + " itself: remove the mapping to it from the integration's request parameters, and deploy again."
	}},
	{"Invalid endpoint address", func(r *record, _ string) string {
		return fmt.Sprintf("The integration's URI names nothing that can be called once the variables of stage %s are filled in: set the variables it uses (aws apigateway update-stage --rest-api-id %s --stage-name %s --patch-operations op=replace,path=/variables/NAME,value=VALUE), or correct the URI.",
			r.target.Stage, r.target.APIID, r.target.Stage)
	}},
	{"Illegal character in path", methodFix("has an address with a {name} that nothing fills: map to integration.request.path.name in the integration's request parameters, and deploy again")},
	{"a network error communicating with endpoint", func(r *record, _ string) string {
		return "Nothing answers at " + r.call.url + ": start the backend, or correct the integration's URI or the stage variables in it."
	}},
	{"PKIX path building failed", always("The backend's certificate is signed by nobody this machine trusts: trust its authority, or set the integration's tlsConfig.insecureSkipVerification, and deploy again.")},
	{"does not match the certificate subject", always("The backend's certificate is for another host name: correct the URI or the certificate, or set the integration's tlsConfig.insecureSkipVerification, and deploy again.")},
	{"does not have permission to assume the provided role", func(r *record, _ string) string {
		return "API Gateway may not assume " + r.m.service.roleARN + ": create the role, or allow sts:AssumeRole to apigateway.amazonaws.com in its trust policy."
	}},
	{"Role ARN must be specified", methodFix("calls an AWS service without credentials: set the integration's credentials to a role that API Gateway may assume, and deploy again")},
	{"an integration response of more than", always("API Gateway passes payloads of 10 MB at most: have the client fetch large ones from where they are.")},
	{"Invalid integration HTTP method", methodFix("must call Lambda with POST: set the integration's httpMethod to POST and deploy again")},
	{"Invalid selection pattern", methodFix("has a selection pattern that is no regular expression: correct it and deploy again")},
}

// adviceByType is for failures that the execution log says nothing about.
var adviceByType = map[string]func(r *record) string{
	"MISSING_AUTHENTICATION_TOKEN": func(r *record) string {
		return fmt.Sprintf("The deployment behind stage %s has no method for %s %s: check verb and path; what was added after the last deployment has to be deployed (aws apigateway create-deployment --rest-api-id %s --stage-name %s).",
			r.target.Stage, r.verb, r.target.Path, r.target.APIID, r.target.Stage)
	},
	"UNSUPPORTED_MEDIA_TYPE": func(r *record) string {
		return fmt.Sprintf("No request template is for Content-Type %q, and passthroughBehavior lets nothing else through: add a template for it, or send another type.",
			one(r.header, "Content-Type"))
	},
	"THROTTLED": func(r *record) string {
		return "More requests came than the throttling of the stage's method settings or of a usage plan lets through: raise rate and burst, or send fewer."
	},
	"REQUEST_TOO_LARGE": func(*record) string { return "API Gateway takes payloads of 10 MB at most: send large ones to S3." },
	"BAD_REQUEST_PARAMETERS": func(r *record) string {
		return "The method's request validator asks for parameters that the request lacks: send them, or make them optional in the method's requestParameters."
	},
}

// fix is what to do about the failure, or "" if nothing is known.
func (r *record) fix() string {
	f := r.failed
	switch {
	case f == nil:
		return ""
	case f.fix != "":
		return f.fix
	case f.status == http.StatusNotImplemented:
		return "Leave this part of the API out until butai has it: " + f.message + "."
	case r.st == nil:
		return fmt.Sprintf("There is no stage %q on API %s: check the URL, or make the stage (aws apigateway create-deployment --rest-api-id %s --stage-name %s).",
			r.target.Stage, r.target.APIID, r.target.APIID, r.target.Stage)
	}
	for _, line := range slices.Backward(f.cause) {
		for _, a := range adviceByCause {
			if r.m != nil && strings.Contains(line, a.line) {
				return a.fix(r, line)
			}
		}
	}
	if fix, ok := adviceByType[f.kind]; ok {
		return fix(r)
	}
	return ""
}

func always(sentence string) func(*record, string) string {
	return func(*record, string) string { return sentence }
}

func methodFix(sentence string) func(*record, string) string {
	return func(r *record, _ string) string { return r.m.verb + " " + r.m.resourcePath + " " + sentence + "." }
}

// thenDeploy ends a sentence about a change of the API: it reaches the stage
// with the next deployment.
func (r *record) thenDeploy() string {
	return fmt.Sprintf(", then aws apigateway create-deployment --rest-api-id %s --stage-name %s", r.target.APIID, r.target.Stage)
}

// templateFix is for a template that doesn't parse or doesn't render; the line
// before said where.
func (r *record) templateFix(which, line string) string {
	reason := line
	for _, other := range r.failed.cause {
		if other != line {
			reason = other
		}
	}
	return fmt.Sprintf("The %s template of %s %s can't be used (%s): correct it and deploy again; butai vtl render tries a template out.",
		which, r.m.verb, r.m.resourcePath, reason)
}

// permissionFix names the command that lets the gateway call the function:
// on the very alias that the integration names, for the very method.
func permissionFix(r *record, _ string) string {
	return callFix(&r.m.function, r.call.status, "The integration's", r.target.APIID+"-"+r.target.Stage)
}

// callFix is what to do about a function that Lambda didn't run because of
// status: whose says what names it, statement is a name for its permission.
func callFix(fn *lambdaTarget, status int, whose, statement string) string {
	if status == http.StatusNotFound {
		return "There is no function " + fn.arn + ": create it, or the alias or version that the " +
			strings.TrimPrefix(whose, "The ") + " URI names, or correct the stage variable in it."
	}
	if fn.asSigner {
		return "Whoever signs the request must be allowed to call the function, as which the integration calls it: allow lambda:InvokeFunction on " + fn.arn + " in their policies."
	}
	if fn.roleARN != "" {
		return fmt.Sprintf("%s role %s may not call the function, or API Gateway may not assume it: allow lambda:InvokeFunction on %s in one of the role's policies, and apigateway.amazonaws.com in its trust policy.",
			whose, fn.roleARN, fn.arn)
	}
	name, qualifier := functionName(fn.arn), ""
	if base, q, ok := strings.Cut(name, ":"); ok {
		name, qualifier = base, " --qualifier "+q
	}
	where := "The function's policy"
	if qualifier != "" {
		where = "The policy of the function's alias or version " + strings.TrimPrefix(qualifier, " --qualifier ")
	}
	return fmt.Sprintf("%s doesn't let this API call it: aws lambda add-permission --function-name %s%s --statement-id apigateway-%s --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn '%s'",
		where, name, qualifier, statement, sourcePattern(fn.sourceARN))
}

// pathVariable finds {id} and {proxy+} in a source ARN.
var pathVariable = regexp.MustCompile(`\{[^}]*\}`)

// sourcePattern is the source ARN as policies write it: a star for each path
// variable, and for the verb that a method takes any of.
func sourcePattern(sourceARN string) string {
	return strings.Replace(pathVariable.ReplaceAllString(sourceARN, "*"), "/ANY/", "/*/", 1)
}

// functionName is the name in a function's ARN, with its qualifier.
func functionName(functionARN string) string {
	a, err := arn.Parse(functionARN)
	if err != nil {
		return functionARN
	}
	return strings.TrimPrefix(a.Resource, "function:")
}

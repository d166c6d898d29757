package release

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/release/plan"
)

// A promotion as commands of the AWS CLI. Whoever stops using butai release goes
// on with it. What stands in <angle brackets> is filled in.
const (
	scriptHead = `#!/usr/bin/env bash
# Moves what stage <source> of API <api> serves to stage <target>: gateway and code as
# one unit, with the AWS CLI alone. Written by butai release script.
set -euo pipefail
export AWS_PAGER=""
api=<api> source=<source> target=<target>
pin=release-$api-$(date +%s)
declare -A version

# 1. Freeze the code that <source> runs. Unchanged code keeps its version.
for function in <functions>; do
  v=$(aws lambda get-alias --function-name "$function" --name <source alias> --query FunctionVersion --output text)
  if [ "$v" = '$LATEST' ]; then
    read -r sha revision < <(aws lambda get-function-configuration --function-name "$function" --query '[CodeSha256, RevisionId]' --output text)
    v=$(aws lambda publish-version --function-name "$function" --code-sha256 "$sha" --revision-id "$revision" --query Version --output text)
  fi
  version[$function]=$v
done
`
	scriptSnapshot = `# 2. Make a deployment whose integrations take the alias from <variable>, since
# others read <api variable>. The API itself stays as it is.
integrations() {
  aws apigateway get-resources --rest-api-id "$api" --embed methods --output json |
    python3 -c 'import json, sys
for r in json.load(sys.stdin)["items"]:
    for verb, m in r.get("resourceMethods", {}).items():
        uri = m.get("methodIntegration", {}).get("uri", "")
        if ":lambda:path/" in uri: print(r["id"], verb, uri)'
}
authorizers() {
  aws apigateway get-authorizers --rest-api-id "$api" --query 'items[?authorizerUri].[id, authorizerUri]' --output text
}
rename() { # FROM TO
  integrations | while read -r resource verb uri; do
    case $uri in *":\${stageVariables.$1}"*)
      aws apigateway update-integration --rest-api-id "$api" --resource-id "$resource" --http-method "$verb" \
        --patch-operations "$(printf '[{"op":"replace","path":"/uri","value":"%s"}]' "${uri//":\${stageVariables.$1}"/":\${stageVariables.$2}"}")" >/dev/null ;;
    esac
  done
  authorizers | while read -r id uri; do
    case $uri in *":\${stageVariables.$1}"*)
      aws apigateway update-authorizer --rest-api-id "$api" --authorizer-id "$id" \
        --patch-operations "$(printf '[{"op":"replace","path":"/authorizerUri","value":"%s"}]' "${uri//":\${stageVariables.$1}"/":\${stageVariables.$2}"}")" >/dev/null ;;
    esac
  done
}
trap 'rename <variable> <api variable>' EXIT
rename <api variable> <variable>
deployment=$(aws apigateway create-deployment --rest-api-id "$api" --description "$pin" --query id --output text)
rename <variable> <api variable>
trap - EXIT
aws apigateway update-stage --rest-api-id "$api" --stage-name "$source" --patch-operations \
  "op=replace,path=/deploymentId,value=$deployment" "op=replace,path=/variables/<variable>,value=<source alias>" >/dev/null
read -r -p "$source serves deployment $deployment now. Verify it, then press Enter: "
`
	scriptShared = `# 2. The deployment that <source> serves.
deployment=$(aws apigateway get-stage --rest-api-id "$api" --stage-name "$source" --query deploymentId --output text)
`
	scriptOrdered = `# 3. The code first, then the gateway. Requests between the two meet new code
# behind the old gateway.
for function in "${!version[@]}"; do
  aws lambda update-alias --function-name "$function" --name <target alias> --function-version "${version[$function]}" >/dev/null
done
aws apigateway update-stage --rest-api-id "$api" --stage-name "$target" --patch-operations \
  "op=replace,path=/deploymentId,value=$deployment"<variables> >/dev/null
`
	scriptPaired = `# 3. An alias for these versions that nobody has called yet, and API Gateway's permission.
permit() { # FUNCTION ID SOURCE
  aws lambda add-permission --function-name "$1" --qualifier "$pin" --statement-id "$2" \
    --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn "$3" >/dev/null
}
for function in "${!version[@]}"; do
  aws lambda create-alias --function-name "$function" --name "$pin" --function-version "${version[$function]}" >/dev/null
done
<permits>sleep <seconds>

# 4. Gateway and code in one call.
aws apigateway update-stage --rest-api-id "$api" --stage-name "$target" --patch-operations \
  "op=replace,path=/deploymentId,value=$deployment" "op=replace,path=/variables/<variable>,value=$pin"<variables> >/dev/null
sleep <seconds> # until no request names <target alias> any more

# 5. The stage's alias follows, and the stage names it again.
for function in "${!version[@]}"; do
  aws lambda update-alias --function-name "$function" --name <target alias> --function-version "${version[$function]}" >/dev/null
done
aws apigateway update-stage --rest-api-id "$api" --stage-name "$target" --patch-operations \
  "op=replace,path=/variables/<variable>,value=<target alias>" >/dev/null
`
	scriptTail = `for function in "${!version[@]}"; do
  echo "$target serves deployment $deployment with $function:${version[$function]}"
done
`
)

// Script writes a promotion to a stage, all at once, as a shell script.
func (e *Engine) Script(ctx context.Context, name string) (string, error) {
	target, source, err := e.Config.Stage(name)
	if err != nil {
		return "", err
	}
	if source == nil {
		return "", fmt.Errorf("%s is the first stage; nothing is promoted to it", name)
	}
	permissions, err := e.pinPermissions(ctx, &plan.Release{Stage: name})
	if err != nil {
		return "", err
	}
	var permits, variables strings.Builder
	for _, fn := range sortedKeys(permissions) {
		for _, p := range permissions[fn] {
			fmt.Fprintf(&permits, "permit %s %s '%s'\n", fn, p.ID, p.SourceARN)
		}
	}
	for _, name := range sortedKeys(target.Variables) { // no value of one has a quote
		fmt.Fprintf(&variables, " \\\n  \"op=replace,path=/variables/%s,value='%s'\"", name, target.Variables[name])
	}
	variable, deployment, move := e.Config.Variable, scriptShared, scriptPaired
	switch e.Config.Pairing {
	case plan.BySnapshot:
		variable, deployment = PinVariable, scriptSnapshot
	case plan.InOrder:
		move = scriptOrdered
	}
	fill := strings.NewReplacer(
		"<api>", e.Config.API, "<functions>", strings.Join(e.Config.Functions, " "),
		"<source>", source.Name, "<source alias>", source.Alias, "<target>", target.Name, "<target alias>", target.Alias,
		"<variable>", variable, "<api variable>", e.Config.Variable, "<permits>", permits.String(), "<variables>", variables.String(),
		"<seconds>", strconv.FormatFloat(e.Config.Propagation.Seconds(), 'f', -1, 64),
	)
	return fill.Replace(scriptHead + "\n" + deployment + "\n" + move + scriptTail), nil
}

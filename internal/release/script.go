package release

import (
	"fmt"
	"strings"
	"text/template"

	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
)

// script is a promotion as commands of the AWS CLI. Whoever stops using butai
// release goes on with it.
var script = template.Must(template.New("script").Parse(`#!/usr/bin/env bash
# Moves what stage {{.Source.Name}} of API {{.Config.API}} serves to stage {{.Target.Name}}: gateway and code as
# one unit, with the AWS CLI alone. Written by butai release script.
set -euo pipefail
export AWS_PAGER=""
api={{.Config.API}} source={{.Source.Name}} target={{.Target.Name}}
pin=release-$api-$(date +%s)
declare -A version

# 1. Freeze the code that {{.Source.Name}} runs. Unchanged code keeps its version.
for function in {{.Functions}}; do
  v=$(aws lambda get-alias --function-name "$function" --name {{.Source.Alias}} --query FunctionVersion --output text)
  if [ "$v" = '$LATEST' ]; then
    read -r sha revision < <(aws lambda get-function-configuration --function-name "$function" --query '[CodeSha256, RevisionId]' --output text)
    v=$(aws lambda publish-version --function-name "$function" --code-sha256 "$sha" --revision-id "$revision" --query Version --output text)
  fi
  version[$function]=$v
done
{{if .Snapshot}}
# 2. Make a deployment whose integrations take the alias from {{.Variable}}, since
# others read {{.Config.Variable}}. The API itself stays as it is.
integrations() {
  aws apigateway get-resources --rest-api-id "$api" --embed methods --output json |
    python3 -c 'import json, sys
for r in json.load(sys.stdin)["items"]:
    for verb, m in r.get("resourceMethods", {}).items():
        uri = m.get("methodIntegration", {}).get("uri", "")
        if ":lambda:path/" in uri: print(r["id"], verb, uri)'
}
rename() { # FROM TO
  integrations | while read -r resource verb uri; do
    case $uri in *":\${stageVariables.$1}"*)
      aws apigateway update-integration --rest-api-id "$api" --resource-id "$resource" --http-method "$verb" \
        --patch-operations "$(printf '[{"op":"replace","path":"/uri","value":"%s"}]' "${uri//":\${stageVariables.$1}"/":\${stageVariables.$2}"}")" >/dev/null ;;
    esac
  done
}
trap 'rename {{.Variable}} {{.Config.Variable}}' EXIT
rename {{.Config.Variable}} {{.Variable}}
deployment=$(aws apigateway create-deployment --rest-api-id "$api" --description "$pin" --query id --output text)
rename {{.Variable}} {{.Config.Variable}}
trap - EXIT
aws apigateway update-stage --rest-api-id "$api" --stage-name "$source" --patch-operations \
  "op=replace,path=/deploymentId,value=$deployment" "op=replace,path=/variables/{{.Variable}},value={{.Source.Alias}}" >/dev/null
read -r -p "$source serves deployment $deployment now. Verify it, then press Enter: "
{{else}}
# 2. The deployment that {{.Source.Name}} serves.
deployment=$(aws apigateway get-stage --rest-api-id "$api" --stage-name "$source" --query deploymentId --output text)
{{end}}
{{if .Ordered}}# 3. The code first, then the gateway. Requests between the two meet new code
# behind the old gateway.
for function in "${!version[@]}"; do
  aws lambda update-alias --function-name "$function" --name {{.Target.Alias}} --function-version "${version[$function]}" >/dev/null
done
aws apigateway update-stage --rest-api-id "$api" --stage-name "$target" --patch-operations \
  "op=replace,path=/deploymentId,value=$deployment" >/dev/null
{{else}}# 3. An alias for these versions that nobody has called yet, and API Gateway's permission.
for function in "${!version[@]}"; do
  aws lambda create-alias --function-name "$function" --name "$pin" --function-version "${version[$function]}" >/dev/null
  aws lambda add-permission --function-name "$function" --qualifier "$pin" --statement-id "release-$target" \
    --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn '{{.SourceARN}}' >/dev/null
done
sleep {{.Seconds}}

# 4. Gateway and code in one call.
aws apigateway update-stage --rest-api-id "$api" --stage-name "$target" --patch-operations \
  "op=replace,path=/deploymentId,value=$deployment" "op=replace,path=/variables/{{.Variable}},value=$pin" >/dev/null
sleep {{.Seconds}} # until no request names {{.Target.Alias}} any more

# 5. The stage's alias follows, and the stage names it again.
for function in "${!version[@]}"; do
  aws lambda update-alias --function-name "$function" --name {{.Target.Alias}} --function-version "${version[$function]}" >/dev/null
done
aws apigateway update-stage --rest-api-id "$api" --stage-name "$target" --patch-operations \
  "op=replace,path=/variables/{{.Variable}},value={{.Target.Alias}}" >/dev/null
{{end}}for function in "${!version[@]}"; do
  echo "$target serves deployment $deployment with $function:${version[$function]}"
done
`))

// Script writes a promotion to a stage, all at once, as a shell script.
func (e *Engine) Script(name string) (string, error) {
	target, source, err := e.Config.Stage(name)
	if err != nil {
		return "", err
	}
	if source == nil {
		return "", fmt.Errorf("%s is the first stage; nothing is promoted to it", name)
	}
	v := struct {
		Config              *config.File
		Target, Source      *config.Stage
		Variable, Functions string
		SourceARN           string
		Seconds             float64
		Snapshot, Ordered   bool
	}{
		Config: e.Config, Target: target, Source: source, Variable: e.Config.Variable,
		Functions: strings.Join(e.Config.Functions, " "), SourceARN: e.sourceARN(name, "*", "/*"),
		Seconds:  e.Config.Propagation.Seconds(),
		Snapshot: e.Config.Pairing == plan.BySnapshot, Ordered: e.Config.Pairing == plan.InOrder,
	}
	if v.Snapshot {
		v.Variable = PinVariable
	}
	var b strings.Builder
	err = script.Execute(&b, v)
	return b.String(), err
}

package apigateway

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	iampolicy "github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/wire"
)

// storePolicy checks a resource policy and brings it into the form that API
// Gateway keeps: compact, and with the short form of resources spelled out
// ("API Gateway resource policy examples"). An empty policy is none.
func storePolicy(sc scope, apiID string, policy *string, known Principals) (*string, error) {
	if wire.Val(policy) == "" {
		return nil, nil
	}
	var compact bytes.Buffer
	doc, err := iampolicy.Parse([]byte(*policy), iampolicy.Resource)
	if err != nil || json.Compact(&compact, []byte(*policy)) != nil || slices.ContainsFunc(doc.Principals(), unknown(known)) {
		return nil, badPolicy()
	}
	full := `"arn:aws:execute-api:` + sc.Region + ":" + sc.Account + ":" + apiID + "/"
	return wire.Ptr(strings.ReplaceAll(compact.String(), `"execute-api:/`, full)), nil
}

func badPolicy() error {
	return badRequest("Invalid policy document. Please check the policy syntax and ensure that Principals are valid.")
}

// unknown finds principals that don't exist. The session of a role comes and
// goes, so that nobody can tell.
func unknown(known Principals) func(principalARN string) bool {
	return func(principalARN string) bool {
		return !strings.Contains(principalARN, ":sts::") && !known.Exists(principalARN)
	}
}

// answerPolicy is a policy as API Gateway prints it: the inside of a JSON
// string, slashes escaped too (recorded).
func answerPolicy(policy *string) *string {
	if policy == nil {
		return nil
	}
	var quoted bytes.Buffer
	enc := json.NewEncoder(&quoted)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(*policy); err != nil {
		return policy // a string always encodes
	}
	inside := strings.Trim(quoted.String(), "\n")
	inside = inside[1 : len(inside)-1]
	return wire.Ptr(strings.ReplaceAll(inside, "/", `\/`))
}

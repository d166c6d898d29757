package gateway

import (
	"strings"

	"github.com/butai-dev/butai/internal/wire"
)

// forwardedIdentity is how an integration's credentials say that it calls as
// whoever signed the request (API Reference, PutIntegration, "credentials").
const forwardedIdentity = "arn:aws:iam::*:user/*"

// compileCredentials reads whom an integration calls as: a role, or the signer,
// whom only AWS_IAM makes known, or nobody but API Gateway itself.
func compileCredentials(st *stage, m *method, credentials string) (roleARN string, asSigner bool, fail *failure) {
	roleARN = interpolate(credentials, st.variables)
	switch {
	case roleARN == forwardedIdentity && m.access.kind == authIAM:
		return "", true, nil
	case strings.Contains(roleARN, "*"):
		return "", false, configurationError("AWS_IAM Auth type is required for AWS integrations with identity forwarding specified")
	}
	return roleARN, false, nil
}

// forwarded is the signer if the integration calls as them, or else nil.
func (x *exchange) forwarded(asSigner bool) *wire.Caller {
	if asSigner {
		return x.caller.signer
	}
	return nil
}

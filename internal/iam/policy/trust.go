package policy

import "strings"

// checkPrincipaled checks the kinds of policy that name principals: trust
// policies and resource-based ones. IAM uses other words here than for
// identity policies; services with a resource policy wrap the text in an
// error of their own.
func checkPrincipaled(raw *rawDocument, kind Kind) error {
	if raw.hasVersion && raw.version != Version2008 && raw.version != Version2012 {
		return malformed("The policy must contain a valid version string")
	}
	if len(raw.statements) == 0 {
		return malformed("Could not parse the policy: Statement is empty!")
	}
	for i := range raw.statements {
		s := &raw.statements[i]
		if err := checkGrant(s, kind); err != nil {
			return err
		}
		if err := checkTarget(s, kind); err != nil {
			return err
		}
		if !legacyParses(s) {
			return malformed(msgSyntax)
		}
	}
	return checkSidsUnique(raw)
}

// checkGrant checks Effect and the principals.
func checkGrant(s *rawStatement, kind Kind) error {
	switch {
	case !s.hasEffect:
		return malformed("Missing required field Effect")
	case s.effect != "Allow" && s.effect != "Deny":
		return malformed("Invalid effect: " + s.effect)
	case s.hasNot && s.effect == "Allow" && kind == Trust:
		return malformed("Allow with NotPrincipal is not allowed.")
	case s.hasNot && kind == Trust:
		return malformed("AssumeRole policy must not contain NotPrincipal field.")
	case s.hasNot && s.hasPrincipal:
		return malformed(msgSyntax)
	case !s.hasNot && !s.hasPrincipal:
		return malformed("Missing required field Principal")
	}
	refs := append(s.principal, s.notPrincipal...)
	if len(refs) == 0 {
		return malformed("Missing required field Principal cannot be empty!")
	}
	if s.principalText && kind == Trust {
		return malformed("Principal must be a JSON object.")
	}
	var scratch principalSet
	for _, ref := range refs {
		known := ref.Type == "*" || ref.Type == "AWS" || ref.Type == "Service" || ref.Type == "Federated" ||
			ref.Type == "CanonicalUser" && kind != Trust
		if !known || !scratch.add(ref) {
			return malformed(InvalidPrincipal(ref))
		}
	}
	return nil
}

// checkTarget checks actions and resources.
func checkTarget(s *rawStatement, kind Kind) error {
	if s.action != nil && s.notAction != nil || s.resource != nil && s.notResource != nil {
		return malformed(msgSyntax)
	}
	if len(s.actionList()) == 0 {
		return malformed("Missing required field Action")
	}
	if kind != Trust {
		if len(s.resourceList()) == 0 {
			return malformed("Missing required field Resource")
		}
		return nil
	}
	for _, action := range s.actionList() {
		if !strings.HasPrefix(lower(action), "sts:") {
			return malformed("AssumeRole policy may only specify STS AssumeRole actions.")
		}
	}
	switch {
	case s.resource != nil:
		return malformed("Has prohibited field Resource")
	case s.notResource != nil:
		return malformed("AssumeRole policy must not contain resources.")
	}
	return nil
}

func checkSidsUnique(raw *rawDocument) error {
	seen := map[string]bool{}
	for i := range raw.statements {
		sid := raw.statements[i].sid
		if sid != "" && seen[sid] {
			return malformed("The Statement Ids in the policy are not unique")
		}
		seen[sid] = true
	}
	return nil
}

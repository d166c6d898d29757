package policy

import "strings"

// pins are the condition keys that leave nobody but some in, if they are
// compared with fixed values (S3 User Guide: "Blocking public access", section
// "The meaning of public").
var pins = map[string]bool{
	"aws:sourceip": true, "aws:sourcearn": true, "aws:sourcevpc": true, "aws:sourcevpce": true, "aws:sourceowner": true,
	"aws:sourceaccount": true, "aws:userid": true, "aws:principalorgid": true, "aws:principalorgpaths": true,
	"aws:principalaccount": true, "aws:principalarn": true, "s3:dataaccesspointarn": true, "s3:dataaccesspointaccount": true,
	"s3:x-amz-server-side-encryption-aws-kms-key-id": true,
}

// Public reports whether the document lets anybody in: whether it has a
// statement that allows something to everybody and whose conditions leave
// everybody in.
func (d *Document) Public() bool {
	for i := range d.statements {
		s := &d.statements[i]
		everybody := s.notPrincipal || s.principals != nil && s.principals.everyone
		if s.effect == Allow && everybody && !s.pinned() {
			return true
		}
	}
	return false
}

func (s *statement) pinned() bool {
	for i := range s.conditions {
		if c := &s.conditions[i]; c.fixed && pins[c.key] {
			return true
		}
	}
	return false
}

// isFixed reports whether a condition asks for some given values: without
// wildcards and variables, and of addresses no more than the widest network
// that doesn't count as public.
func isFixed(op operatorName, values []string) bool {
	if op.ifExists || op.quantifier == forAllValues || operators[op.base].negated || op.base == "Null" {
		return false
	}
	for _, v := range values {
		if strings.ContainsAny(v, "*?$") {
			return false
		}
		if op.base != "IpAddress" {
			continue
		}
		p, ok := parsePrefix(v)
		if !ok || p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 32 {
			return false
		}
	}
	return len(values) > 0
}

// Reach is what one statement of a document is about.
type Reach struct {
	Actions   []string // of Action or NotAction
	Resources []string // of Resource or NotResource
	// NotResource is set if it is about all but Resources.
	NotResource   bool
	ConditionKeys []string // as the document spells them
}

// Reaches lists what the statements of a document are about, for a service that
// checks that they are about itself.
func Reaches(doc []byte) []Reach {
	raw, ok := readDocument(doc)
	if !ok {
		return nil
	}
	out := make([]Reach, len(raw.statements))
	for i := range raw.statements {
		s := &raw.statements[i]
		out[i] = Reach{Actions: s.actionList(), Resources: s.resourceList(), NotResource: s.notResource != nil}
		for _, c := range s.conditions {
			out[i].ConditionKeys = append(out[i].ConditionKeys, c.key)
		}
	}
	return out
}

// Matches reports whether text is one of those that pattern, with * and ?,
// stands for.
func Matches(pattern, text string) bool {
	g, ok := compileGlob(pattern, true, false)
	return ok && g.match(text, nil)
}

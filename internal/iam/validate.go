package iam

import (
	"strings"

	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/wire"
)

// ValidateInput reports failed constraints of the model. IAM words the
// patterns of names and paths itself, after everything else is in order.
func (s *Service) ValidateInput(op *wire.Operation, in any) error {
	var common []wire.Violation
	own := ""
	for _, v := range iamapi.Service.Schema.Validate(op.Input, in, nil) {
		if text := ownWords(v); text == "" {
			common = append(common, v)
		} else if own == "" {
			own = text
		}
	}
	switch {
	case len(common) > 0:
		return wire.Errorf("ValidationError", "%s", wire.ViolationText(common))
	case own != "":
		return wire.Errorf("ValidationError", "%s", own)
	}
	return nil
}

// ownWords is IAM's own text for a violation, or "".
func ownWords(v wire.Violation) string {
	if !strings.HasPrefix(v.Rule, "Member must satisfy regular expression pattern") {
		return ""
	}
	invalid := "The specified value for " + v.Path + " is invalid. It must "
	switch v.Path {
	case "roleName", "userName", "newUserName", "policyName":
		return invalid + "contain only alphanumeric characters and/or the following: +=,.@_-"
	case "path", "newPath":
		return invalid + "begin and end with / and contain only alphanumeric characters and/or / characters."
	}
	return ""
}

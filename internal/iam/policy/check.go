package policy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The messages and the order of these checks follow what IAM answers to
// CreatePolicy, PutRolePolicy and CreateRole (code MalformedPolicyDocument):
// syntax first, then the version, then the "legacy parsing", then the rest.
const (
	msgSyntax      = "Syntax errors in policy."
	msgVersion     = "Policy document must be version 2012-10-17 or greater."
	msgLegacy      = "The policy failed legacy parsing"
	msgSidUnique   = "Statement IDs (SID) in a single policy must be unique."
	msgSidForm     = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	msgNoActions   = "Policy statement must contain actions."
	msgNoResources = "Policy statement must contain resources."
	msgPrincipal   = "Policy document should not specify a principal."
)

var sidForm = regexp.MustCompile(`^[0-9A-Za-z]*$`)

// checkIdentity checks managed and inline policies.
func checkIdentity(raw *rawDocument, kind Kind) error {
	if !soundSyntax(raw) {
		return malformed(msgSyntax)
	}
	if kind == Managed && raw.version != Version2012 {
		return malformed(msgVersion)
	}
	for i := range raw.statements {
		s := &raw.statements[i]
		if !legacyParses(s) {
			return malformed(msgLegacy)
		}
		if s.hasPrincipal || s.hasNot {
			return malformed(msgPrincipal)
		}
	}
	resourceError := firstResourceError(raw)
	if resourceError == msgLegacy {
		return malformed(msgLegacy)
	}
	if err := checkSids(raw, msgSidUnique); err != nil {
		return err
	}
	for i := range raw.statements {
		if len(raw.statements[i].actionList()) == 0 {
			return malformed(msgNoActions)
		}
	}
	for i := range raw.statements {
		s := &raw.statements[i]
		if s.resource == nil && s.notResource == nil || len(s.resourceList()) == 0 && kind != Authorizer {
			return malformed(msgNoResources)
		}
	}
	if resourceError != "" {
		return malformed(resourceError)
	}
	return checkActions(raw)
}

// soundSyntax holds what IAM counts as syntax beyond JSON itself.
func soundSyntax(raw *rawDocument) bool {
	if raw.hasVersion && raw.version != Version2008 && raw.version != Version2012 {
		return false
	}
	if len(raw.statements) == 0 {
		return false
	}
	for i := range raw.statements {
		s := &raw.statements[i]
		effect := strings.EqualFold(s.effect, "Allow") || strings.EqualFold(s.effect, "Deny")
		if !effect || s.action != nil && s.notAction != nil || s.resource != nil && s.notResource != nil {
			return false
		}
		if s.hasPrincipal && s.hasNot {
			return false
		}
	}
	return true
}

func (s *rawStatement) actionList() []string {
	if s.notAction != nil {
		return *s.notAction
	}
	if s.action != nil {
		return *s.action
	}
	return nil
}

func (s *rawStatement) resourceList() []string {
	if s.notResource != nil {
		return *s.notResource
	}
	if s.resource != nil {
		return *s.resource
	}
	return nil
}

// legacyParses is the check that reports "The policy failed legacy parsing":
// the effect's letter case and the dates.
func legacyParses(s *rawStatement) bool {
	if s.effect != "Allow" && s.effect != "Deny" {
		return false
	}
	for _, c := range s.conditions {
		if !strings.HasPrefix(c.op.base, "Date") {
			continue
		}
		for _, v := range c.values {
			if !strings.Contains(v, "${") && !legacyDate(v) {
				return false
			}
		}
	}
	return true
}

func checkSids(raw *rawDocument, duplicate string) error {
	seen := map[string]bool{}
	for i := range raw.statements {
		sid := raw.statements[i].sid
		if sid != "" && seen[sid] {
			return malformed(duplicate)
		}
		seen[sid] = true
	}
	for i := range raw.statements {
		if !sidForm.MatchString(raw.statements[i].sid) {
			return malformed(msgSidForm)
		}
	}
	return nil
}

var vendorForm = regexp.MustCompile(`^([a-zA-Z0-9.-]+|\*)$`)

// checkActions checks the service prefix of every action.
func checkActions(raw *rawDocument) error {
	for i := range raw.statements {
		for _, action := range raw.statements[i].actionList() {
			vendor, rest, found := strings.Cut(action, ":")
			switch {
			case action == "*":
			case !found:
				return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
			case strings.Contains(rest, ":"):
				return malformed("Actions/Condition can contain only one colon.")
			case !vendorForm.MatchString(vendor):
				return malformed("Vendor " + vendor + " is not valid")
			}
		}
	}
	return nil
}

// firstResourceError returns the message about a wrong resource, or "". With
// several wrong ones in a list IAM names the first in sorted order.
func firstResourceError(raw *rawDocument) string {
	for i := range raw.statements {
		list := slices.Sorted(slices.Values(raw.statements[i].resourceList()))
		for _, resource := range list {
			if msg := resourceError(resource); msg != "" {
				return msg
			}
		}
	}
	return ""
}

var partitions = []string{"*", "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}

// resourceError checks one Resource value. Only the shape of the ARN is
// checked: IAM accepts services and resources that do not exist.
func resourceError(resource string) string {
	if resource == "*" || strings.HasPrefix(resource, "${") {
		return ""
	}
	_, afterARN, found := strings.Cut(resource, ":")
	if !found {
		return "Resource " + resource + ` must be in ARN format or "*".`
	}
	partition, afterPartition, found := strings.Cut(afterARN, ":")
	if !slices.Contains(partitions, partition) {
		return "Partition " + strconv.Quote(partition) + ` is not valid for resource "arn:` +
			partition + ":" + padARN(afterPartition) + `".`
	}
	if !found {
		return "Resource vendor must be fully qualified and cannot contain regexes."
	}
	service, afterService, _ := strings.Cut(afterPartition, ":")
	if service == "" || strings.Count(resource, ":") < 5 && strings.Contains(resource, "::") {
		return msgLegacy
	}
	_, afterRegion, _ := strings.Cut(afterService, ":")
	account, path, _ := strings.Cut(afterRegion, ":")
	if strings.HasPrefix(account, "${") {
		return msgLegacy // no variables in the account part
	}
	return serviceResourceError(resource, service, afterService, account, path)
}

// padARN fills up what is missing behind the partition with stars, as IAM's
// message does.
func padARN(rest string) string {
	parts := strings.SplitN(rest, ":", 4)
	if rest == "" {
		parts = nil
	}
	for len(parts) < 4 {
		parts = append(parts, "*")
	}
	return strings.Join(parts, ":")
}

var iamPaths = []string{
	"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/",
	"policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
}

// serviceResourceError holds the rules that IAM has for its own ARNs and S3's.
func serviceResourceError(resource, service, afterService, account, path string) string {
	global := strings.HasPrefix(afterService, ":")
	switch service {
	case "iam":
		if !global {
			return "IAM resource " + resource + " cannot contain region information."
		}
		kind, _, _ := strings.Cut(path, "/")
		if strings.ContainsAny(kind, "*?$") || path == "root" {
			return ""
		}
		for _, prefix := range iamPaths {
			if strings.HasPrefix(path, prefix) {
				return ""
			}
		}
		return `IAM resource path must either be "*" or start with ` + strings.Join(iamPaths, ", ") + "."
	case "s3":
		// Access points, access grants, jobs … have a region and an account.
		if !global && account == "" {
			return "Resource " + resource + " can not contain region information."
		}
	}
	return ""
}

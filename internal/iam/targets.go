package iam

import (
	"context"
	"reflect"
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/wire"
)

func formatUnix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
func formatBool(b bool) string      { return strconv.FormatBool(b) }

// IAMTargets names the role, user, group or policy that a call is about (Service
// Authorization Reference: IAM), or the path that a listing is about, as the
// refusals of IAM name it. The rest acts on "*".
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	target := wire.IAMTarget{Action: "iam:" + op.Name, Resource: "*"}
	if in == nil {
		return []wire.IAMTarget{target}
	}
	rv := reflect.ValueOf(in).Elem()
	text := func(field string) string {
		f := rv.FieldByName(field)
		if !f.IsValid() || f.IsNil() {
			return ""
		}
		return f.Elem().String()
	}
	acct := account(ctx)
	path := text("Path")
	prefix := text("PathPrefix")
	switch {
	case op.Name == "ListPolicies":
		target.Resource = "policy path " + pathOr(&prefix) // IAM's own words, matched by "*" alone
	case op.Name == "ListRoles":
		target.Resource = iamARN(acct, roleKind.name, pathOr(&prefix), "")
	case op.Name == "ListUsers":
		target.Resource = iamARN(acct, userKind.name, pathOr(&prefix), "")
	case op.Name == "ListGroups":
		target.Resource = iamARN(acct, groupKind.name, pathOr(&prefix), "")
	case text("RoleName") != "":
		target.Resource = s.entityARN(acct, roleKind, path, text("RoleName"))
	case text("GroupName") != "": // whose users change with it, if any do
		target.Resource = s.entityARN(acct, groupKind, path, text("GroupName"))
	case text("UserName") != "":
		target.Resource = s.entityARN(acct, userKind, path, text("UserName"))
	case text("PolicyArn") != "":
		target.Resource = text("PolicyArn")
	case text("PolicyName") != "":
		target.Resource = iamARN(acct, "policy", pathOr(&path), text("PolicyName"))
	}
	if arn := text("PolicyArn"); arn != "" && target.Resource != arn {
		target.Context = map[string][]string{"iam:PolicyARN": {arn}}
	}
	return []wire.IAMTarget{target}
}

// entityARN is the ARN of an entity, which may not exist yet.
func (s *Service) entityARN(acct string, k kind, path, name string) string {
	if sub := s.subject(acct, k, name); sub != nil {
		return sub.arn
	}
	return iamARN(acct, k.name, pathOr(&path), name)
}

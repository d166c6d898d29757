package lambda

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/wire"
)

// ref is a function as a request names it.
type ref struct {
	id
	qualifier string // version or alias, "" if the request has none
}

// qualified is the function's ARN with the qualifier that the request has.
func (r ref) qualified() string {
	if r.qualifier == "" {
		return r.arn()
	}
	return r.arn() + ":" + r.qualifier
}

// nameForm takes apart every form of a function's name: a name, part of an
// ARN or a whole one, each with or without a qualifier (API Reference:
// FunctionName). The model has checked the characters.
var nameForm = regexp.MustCompile(`^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$`)

var errName = errors.New("not a function name")

func parseName(text string) (ref, error) {
	if plainName(text) { // as most callers have it
		return ref{id: id{name: text}}, nil
	}
	m := nameForm.FindStringSubmatch(text)
	if m == nil {
		return ref{}, errName
	}
	return ref{id: id{region: m[1], account: m[2], name: m[3]}, qualifier: m[4]}, nil
}

// plainName reports whether text is a name and nothing else.
func plainName(text string) bool {
	for i := range len(text) {
		c := text[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return text != ""
}

// resolve reads a request's function name and qualifier. Functions of other
// accounts are reached by Invoke alone, and there by their policy.
func resolve(ctx context.Context, name, qualifier *string) (ref, error) {
	r, err := locate(ctx, name, qualifier)
	if err != nil {
		return ref{}, err
	}
	if c := wire.CallerFrom(ctx); r.account != c.Account {
		return ref{}, accessDenied("User: %s is not authorized to access this resource: %s", c.ARN, r.qualified())
	}
	return r, nil
}

// locate is resolve for functions of any account.
func locate(ctx context.Context, name, qualifier *string) (ref, error) {
	c := wire.CallerFrom(ctx)
	r, err := parseName(*name)
	if err != nil {
		return ref{}, &wire.Error{Code: "ValidationException", Status: 400,
			Message: violation("functionName", *name, "Member must satisfy regular expression pattern: "+nameForm.String())}
	}
	if r.region != "" && r.region != c.Region {
		return ref{}, missing("Functions from '%s' are not reachable in this region ('%s')", r.region, c.Region)
	}
	r.region = c.Region
	if r.account == "" {
		r.account = c.Account
	}
	if q := wire.Val(qualifier); q != "" {
		if r.qualifier != "" && r.qualifier != q {
			return ref{}, invalid("The derived qualifier from the function name does not match the specified qualifier.")
		}
		r.qualifier = q
	}
	return r, nil
}

// unqualified is resolve for operations on a whole function: a qualifier in
// its name is an error with the given text.
func unqualified(ctx context.Context, name *string, refusal string) (ref, error) {
	r, err := resolve(ctx, name, nil)
	if err == nil && r.qualifier != "" && (r.qualifier != catalog.Latest || refusal != "") {
		if refusal == "" {
			refusal = "This operation can only be performed on $LATEST, not on a version or alias: " + r.qualified()
		}
		return ref{}, invalid("%s", refusal)
	}
	return r, err
}

// parseID reads an unqualified function ARN from the store.
func parseID(functionARN string) (id, error) {
	a, err := arn.Parse(functionARN)
	if err != nil {
		return id{}, err
	}
	return id{a.Account, a.Region, strings.TrimPrefix(a.Resource, "function:")}, nil
}

// isAlias reports whether a qualifier can be an alias's name: the model lets
// qualifiers have a $ too, names of aliases not.
func isAlias(qualifier string) bool {
	return qualifier != "" && !strings.Contains(qualifier, "$") && strings.Trim(qualifier, "0123456789") != ""
}

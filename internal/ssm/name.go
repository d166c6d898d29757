package ssm

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	secretReference = "/aws/reference/secretsmanager/"
	publicPrefix    = "/aws/service/"
	maxLevels       = 15
)

var nameForm = regexp.MustCompile(`^([A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+)+)$`)

func badName() error {
	return invalid(`Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`)
}

// checkNewName checks the name of a parameter that is to be made.
func checkNewName(name string) error {
	first, _, isPath := strings.Cut(strings.ToLower(strings.TrimPrefix(name, "/")), "/")
	switch {
	case isPath && strings.HasPrefix(first, "aws"):
		return wire.Errorf("AccessDeniedException", "No access to reserved parameter name: %s.", strings.TrimPrefix(name, "/"))
	case !isPath && (strings.HasPrefix(first, "aws") || strings.HasPrefix(first, "ssm")):
		return invalid(`Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`)
	case strings.HasPrefix(first, "ssm") || !nameForm.MatchString(name):
		return badName()
	case strings.Count(name, "/") > maxLevels:
		return &ssmapi.HierarchyLevelLimitExceededException{Message: wire.Ptr("A parameter name can have a maximum of 15 levels.")}
	}
	return nil
}

// reference is what a Name says: a parameter, and which version of it.
type reference struct {
	account, region string
	name            string // as it was given, or as an ARN has it
	selector        string // version or label; "" is the latest
}

// parse reads a name or an ARN, with :version or :label behind it.
func parse(ctx context.Context, text string) (reference, error) {
	c := wire.CallerFrom(ctx)
	ref := reference{account: c.Account, region: c.Region, name: text}
	if strings.HasPrefix(text, "arn:") {
		a, err := arn.Parse(text)
		name, isParameter := strings.CutPrefix(a.Resource, "parameter/")
		if err != nil || a.Service != "ssm" || !isParameter {
			return ref, badName()
		}
		if strings.Contains(name, "/") {
			name = "/" + name
		}
		ref.account, ref.region, ref.name = a.Account, a.Region, name
	}
	ref.name, ref.selector, _ = strings.Cut(ref.name, ":")
	if !nameForm.MatchString(ref.name) {
		return ref, badName()
	}
	return ref, nil
}

// find reads the parameter of a reference; nil if there is none. Parameters are
// not shared between accounts.
func find(ctx context.Context, r store.ReadTx, ref reference) (*parameterRecord, error) {
	if c := wire.CallerFrom(ctx); ref.account != c.Account || ref.region != c.Region {
		return nil, nil
	}
	return parameters.Get(r, ref.account, ref.region, placeOf(ref.name))
}

// get is find for a parameter that must exist.
func get(ctx context.Context, r store.ReadTx, ref reference) (*parameterRecord, error) {
	p, err := find(ctx, r, ref)
	if err == nil && p == nil {
		err = notFound()
	}
	return p, err
}

// selected reads the version that a selector tells of.
func (p *parameterRecord) selected(r store.ReadTx, selector string) (*versionRecord, error) {
	wanted := p.Latest
	if selector != "" {
		n, err := strconv.ParseInt(selector, 10, 64)
		if err != nil {
			var ok bool
			if n, ok = p.Labels[selector]; !ok {
				return nil, noVersion("label %s for parameter %s. Verify the label", selector, p.Name)
			}
		}
		wanted = n
	}
	return p.version(r, wanted)
}

func (p *parameterRecord) version(r store.ReadTx, n int64) (*versionRecord, error) {
	v, err := history.Get(r, p.key(versionKey(n))...)
	if err == nil && v == nil {
		err = noVersion("version %d of %s. Verify the version", n, p.Name)
	}
	return v, err
}

// versionKey orders versions by their number.
func versionKey(n int64) string {
	text := strconv.FormatInt(n, 10)
	return strings.Repeat("0", max(0, 19-len(text))) + text
}

package ssm

import (
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// DescribeParameters tells of parameters without their values.
func (s *Service) DescribeParameters(ctx context.Context, in *ssmapi.DescribeParametersRequest) (*ssmapi.DescribeParametersResult, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, invalid("You can use either Filters or ParameterFilters in a single request.")
	}
	if err := checkFilters(in.ParameterFilters, "Path", "Name", "Type", "KeyId", "Tier", "DataType"); err != nil {
		return nil, err
	}
	filters := slices.Clone(in.ParameterFilters)
	for _, f := range in.Filters { // the older form, in which names begin with the values
		option := "Equals"
		if *f.Key == ssmapi.ParametersFilterKeyName {
			option = "BeginsWith"
		}
		filters = append(filters, ssmapi.ParameterStringFilter{Key: f.Key, Option: &option, Values: f.Values})
	}
	list, err := s.search(ctx, filters)
	if err != nil {
		return nil, err
	}
	out := &ssmapi.DescribeParametersResult{Parameters: []ssmapi.ParameterMetadata{}}
	list, out.NextToken, err = page(list, in.NextToken, in.MaxResults, describePage)
	for _, f := range list {
		v := f.v
		out.Parameters = append(out.Parameters, ssmapi.ParameterMetadata{
			Name: &f.p.Name, ARN: wire.Ptr(f.p.arn()), Type: &v.Type, KeyId: wire.TextOrNil(v.Key), LastModifiedDate: &v.Modified, LastModifiedUser: &v.User,
			Description: wire.TextOrNil(v.Description), AllowedPattern: wire.TextOrNil(v.AllowedPattern), Version: &v.Version, Tier: &v.Tier,
			Policies: []ssmapi.ParameterInlinePolicy{}, DataType: &v.DataType,
		})
	}
	return out, err
}

// options are how filters compare, the default first.
var options = map[string][]string{
	"Name": {"Equals", "BeginsWith", "Contains"}, "KeyId": {"Equals", "BeginsWith"}, "Path": {"OneLevel", "Recursive"},
	"Type": {"Equals", "BeginsWith"}, "Tier": {"Equals"}, "DataType": {"Equals"}, "Label": {"Equals"}, tagKey: {"Equals"},
}

const tagKey = "tag:"

// kindOf is a filter's key without the key of a tag.
func kindOf(f *ssmapi.ParameterStringFilter) string {
	if strings.HasPrefix(*f.Key, tagKey) {
		return tagKey
	}
	return *f.Key
}

func optionOf(f *ssmapi.ParameterStringFilter) string {
	if f.Option != nil {
		return *f.Option
	}
	return options[kindOf(f)][0]
}

// checkFilters checks filters, whose keys must be among those that are valid.
func checkFilters(filters []ssmapi.ParameterStringFilter, valid ...string) error {
	seen := map[string]bool{}
	for i := range filters {
		f := &filters[i]
		kind := kindOf(f)
		switch {
		case kind == tagKey && !slices.Contains(valid, "Path"), kind != tagKey && !slices.Contains(valid, kind):
			return invalidKey("The following filter key is not valid: %s. Valid filter keys include: [%s].", *f.Key, strings.Join(valid, ", "))
		case len(f.Values) == 0 && kind != tagKey:
			return &ssmapi.InvalidFilterValue{Message: wire.Ptr("The following filter values are missing : null for filter key " + *f.Key + ".")}
		case seen[*f.Key]:
			return invalidKey("The following filter is duplicated in the request: %s. A request can contain only one occurrence of a specific filter.", *f.Key)
		case !slices.Contains(options[kind], optionOf(f)):
			return &ssmapi.InvalidFilterOption{Message: wire.Ptr("The following filter option is not valid: " + optionOf(f) +
				". Valid options include: [" + strings.Join(options[kind], ", ") + "].")}
		}
		seen[*f.Key] = true
	}
	return nil
}

func invalidKey(format string, args ...any) error {
	return &ssmapi.InvalidFilterKey{Message: &wire.Errorf("", format, args...).Message}
}

// search finds the caller's parameters that pass all filters, by their names:
// each with its latest version, or with the one that a filter's label is on.
func (s *Service) search(ctx context.Context, filters []ssmapi.ParameterStringFilter) ([]found, error) {
	c := wire.CallerFrom(ctx)
	var list []found
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		list = nil
		for p, err := range parameters.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			version := p.Latest
			for i := range filters {
				if kindOf(&filters[i]) == "Label" {
					for _, label := range filters[i].Values {
						if n, ok := p.Labels[label]; ok {
							version = n
						}
					}
				}
			}
			v, err := p.version(r, version)
			if err != nil {
				return err
			}
			f := found{p, v}
			if !slices.ContainsFunc(filters, func(by ssmapi.ParameterStringFilter) bool { return !f.passes(&by) }) {
				list = append(list, f)
			}
		}
		return nil
	})
	return list, err
}

// passes reports whether one of a filter's values fits.
func (f found) passes(by *ssmapi.ParameterStringFilter) bool {
	var have []string
	switch kind := kindOf(by); kind {
	case "Name":
		have = []string{f.p.Name, placeOf(f.p.Name)}
		if !strings.HasPrefix(f.p.Name, "/") {
			have = append(have, "/"+f.p.Name)
		}
	case "Type":
		have = []string{f.v.Type}
	case "KeyId":
		have = []string{f.v.Key}
	case "Tier":
		have = []string{f.v.Tier}
	case "DataType":
		have = []string{f.v.DataType}
	case "Label":
		have = f.p.labelsOf(f.v.Version)
	case "Path":
		have = []string{f.p.Name}
	case tagKey:
		at := slices.IndexFunc(f.p.Tags, func(t ssmapi.Tag) bool { return tagKey+*t.Key == *by.Key })
		if at < 0 || len(by.Values) == 0 {
			return at >= 0
		}
		have = []string{*f.p.Tags[at].Value}
	}
	return slices.ContainsFunc(by.Values, func(value string) bool {
		return slices.ContainsFunc(have, func(text string) bool { return compare(optionOf(by), text, value) })
	})
}

func compare(option, text, value string) bool {
	switch option {
	case "BeginsWith":
		return strings.HasPrefix(text, value)
	case "Contains":
		return strings.Contains(text, value)
	case "OneLevel", "Recursive":
		if !strings.HasPrefix(text, "/") {
			text = "/" + text
		}
		below, ok := strings.CutPrefix(text, strings.TrimSuffix(value, "/")+"/")
		return ok && (option == "Recursive" || !strings.Contains(below, "/"))
	}
	return text == value
}

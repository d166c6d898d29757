package policy

import "strings"

// actionSet is the Action or NotAction list of a statement. Names are in
// lower case, because actions are matched without regard to case. Patterns
// are grouped by service, so that the very long lists of AWS's read-only
// policies cost no more than short ones.
type actionSet struct {
	all       bool
	exact     map[string]struct{}
	byService map[string][]glob
	anyVendor []glob // patterns with a wildcard in the service part
}

func compileActions(names []string) actionSet {
	set := actionSet{exact: map[string]struct{}{}, byService: map[string][]glob{}}
	for _, name := range names {
		set.add(lower(name))
	}
	return set
}

func (set *actionSet) add(name string) {
	service, rest, _ := strings.Cut(name, ":")
	switch {
	case name == "*" || name == "*:*":
		set.all = true
	case strings.ContainsAny(service, "*?"):
		g, _ := compileGlob(name, true, false)
		set.anyVendor = append(set.anyVendor, g)
	case strings.ContainsAny(rest, "*?"):
		g, _ := compileGlob(rest, true, false)
		set.byService[service] = append(set.byService[service], g)
	default:
		set.exact[name] = struct{}{}
	}
}

// match takes a lower-case action such as "dynamodb:putitem".
func (set *actionSet) match(action string) bool {
	if set.all {
		return true
	}
	if _, ok := set.exact[action]; ok {
		return true
	}
	if len(set.byService) > 0 {
		service, rest, _ := strings.Cut(action, ":")
		for i := range set.byService[service] {
			if set.byService[service][i].match(rest, nil) {
				return true
			}
		}
	}
	for i := range set.anyVendor {
		if set.anyVendor[i].match(action, nil) {
			return true
		}
	}
	return false
}

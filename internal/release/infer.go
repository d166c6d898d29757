package release

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
)

var qualifierVariable = regexp.MustCompile(`^\$\{stageVariables\.([A-Za-z0-9_]+)\}$`)

// Found is what is deployed, as init sees it.
type Found struct {
	API          string
	Stages       map[string]plan.Stage
	Integrations []Integration
	Endpoint     string // "" for AWS
}

// Infer makes the configuration of what is deployed, and notes for whoever
// reads it.
func Infer(f *Found) (*config.File, []string, error) {
	out := &config.File{API: f.API, Records: "butai-release", Propagation: config.Duration(config.DefaultPropagation)}
	if f.Endpoint != "" {
		out.Propagation = config.Duration(time.Second) // one server has nothing to spread
	}
	var notes []string
	for _, i := range f.Integrations {
		fn, qualifier := i.Called()
		m := qualifierVariable.FindStringSubmatch(qualifier)
		switch {
		case fn == "":
			notes = append(notes, fmt.Sprintf("%s: the function isn't named in its URI, so it isn't released", i))
		case m == nil:
			notes = append(notes, fmt.Sprintf("%s: %s isn't called through an alias that a stage variable names, so it isn't released", i, fn))
		case out.Variable != "" && out.Variable != m[1]:
			return nil, notes, fmt.Errorf("integrations name their alias by two stage variables, %s and %s; one is needed", out.Variable, m[1])
		default:
			out.Variable = m[1]
			if !slices.Contains(out.Functions, fn) {
				out.Functions = append(out.Functions, fn)
			}
		}
	}
	if out.Variable == "" {
		return nil, notes, errors.New("no integration takes a Lambda alias from a stage variable, as in function:NAME:${stageVariables.NAME}")
	}
	slices.Sort(out.Functions)
	out.Pairing = plan.ByVariable
	if reader := readBy(out.Variable, f.Integrations); reader != "" {
		out.Pairing = plan.BySnapshot
		notes = append(notes, fmt.Sprintf("%s reads the stage variable %s too, so it must keep its value: deployments are made with "+
			"integrations that take the alias from %s", reader, out.Variable, PinVariable))
	}
	names := sortedKeys(f.Stages)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	for _, name := range names {
		alias := f.Stages[name].Variables[out.Variable]
		if alias == "" {
			notes = append(notes, fmt.Sprintf("stage %s has no variable %s, so it is left out", name, out.Variable))
			continue
		}
		out.Stages = append(out.Stages, config.Stage{Name: name, Alias: alias})
	}
	if len(out.Stages) == 0 {
		return nil, notes, fmt.Errorf("no stage has the variable %s, which names the alias", out.Variable)
	}
	if len(out.Stages) == 1 {
		notes = append(notes, "there is one stage; add those that follow it, and their aliases, to butai.yaml")
	}
	out.Checks = sample(f.Integrations)
	return out, notes, nil
}

// rank orders stages by what they are usually called.
func rank(stage string) int {
	s := strings.ToLower(stage)
	for i, words := range [][]string{{"dev", "test", "sandbox"}, {"stag", "qa", "uat", "beta", "preprod", "pre-prod"}} {
		for _, w := range words {
			if strings.Contains(s, w) {
				return i
			}
		}
	}
	if strings.Contains(s, "prod") || strings.Contains(s, "live") {
		return 3
	}
	return 2
}

// readBy names an integration that hands the variable to its function, apart
// from its URI. A proxy integration hands over all of them.
func readBy(variable string, all []Integration) string {
	reads := regexp.MustCompile(`stageVariables(\.` + variable + `\b|\[?['"]|\))|stageVariables\s*\)`)
	for _, i := range all {
		if i.Type == "AWS_PROXY" {
			return "the handler behind " + i.String()
		}
		if slices.ContainsFunc(i.Templates, reads.MatchString) {
			return "a template of " + i.String()
		}
	}
	return ""
}

// sample is a first check: some GET without parameters in its path.
func sample(all []Integration) []config.Check {
	for _, i := range all {
		if i.Method == "GET" && !strings.Contains(i.Path, "{") {
			return []config.Check{{Name: "GET " + i.Path, Path: i.Path, Expect: config.Expect{Status: 200}}}
		}
	}
	return nil
}

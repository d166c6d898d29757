package plan

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Strategy is how a stage's requests move to the new pair.
type Strategy struct {
	// Dark puts the new pair on a stage of its own first, where none of the
	// stage's requests reach it.
	Dark   bool
	Phases []Phase // shares of the requests before all of them move
}

// Phase is a share of the requests, and how long it is watched.
type Phase struct {
	Percent float64
	For     time.Duration
}

var (
	canaryForm = regexp.MustCompile(`^canary (\S+?)% for (\S+)$`)
	linearForm = regexp.MustCompile(`^linear (\S+?)% every (\S+)$`)
)

// ParseStrategy reads "all", "canary 10% for 5m", "linear 10% every 1m",
// "dark", or several of them separated by commas, one after the other.
func ParseStrategy(text string) (Strategy, error) {
	var s Strategy
	for part := range strings.SplitSeq(text, ",") {
		part = strings.Join(strings.Fields(part), " ")
		switch {
		case part == "all" || part == "":
		case part == "dark":
			s.Dark = true
		default:
			phases, err := parsePhases(part)
			if err != nil {
				return Strategy{}, err
			}
			s.Phases = append(s.Phases, phases...)
		}
	}
	for i := 1; i < len(s.Phases); i++ {
		if s.Phases[i].Percent <= s.Phases[i-1].Percent {
			return Strategy{}, fmt.Errorf("strategy %q: %g%% comes after %g%%; shares must grow", text, s.Phases[i].Percent, s.Phases[i-1].Percent)
		}
	}
	return s, nil
}

func parsePhases(part string) ([]Phase, error) {
	linear := false
	m := canaryForm.FindStringSubmatch(part)
	if m == nil {
		m, linear = linearForm.FindStringSubmatch(part), true
	}
	if m == nil {
		return nil, fmt.Errorf(`strategy %q: want "all", "canary 10%% for 5m", "linear 10%% every 1m" or "dark"`, part)
	}
	percent, err := strconv.ParseFloat(m[1], 64)
	if err != nil || !(percent > 0 && percent < 100) {
		return nil, fmt.Errorf("strategy %q: the share must be more than 0%% and less than 100%%", part)
	}
	d, err := time.ParseDuration(m[2])
	if err != nil || d < 0 {
		return nil, fmt.Errorf("strategy %q: %q is no duration such as 30s or 5m", part, m[2])
	}
	if !linear {
		return []Phase{{percent, d}}, nil
	}
	var out []Phase
	for i := 1; float64(i)*percent < 100; i++ {
		out = append(out, Phase{float64(i) * percent, d})
	}
	return out, nil
}

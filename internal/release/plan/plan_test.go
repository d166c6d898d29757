package plan

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// scene is what requests meet: a stage, and what its aliases run. It stands
// for AWS in these tests.
type scene struct {
	stage   Stage
	aliases map[string]string // the function's versions by alias
	gateway map[string]int    // generation of each deployment
	code    map[string]int    // generation of each version
	names   map[string]string // by deployment, the variable it takes the alias from
}

// generations are those of the gateway and the code that a request meets.
func (s *scene) generations(deployment string, variables map[string]string) (gateway, code int) {
	return s.gateway[deployment], s.code[s.aliases[variables[s.names[deployment]]]]
}

// mixed reports whether some request could meet halves that don't belong
// together.
func (s *scene) mixed() bool {
	if s.stage.Missing {
		return false
	}
	g, c := s.generations(s.stage.Deployment, s.stage.Variables)
	if k := s.stage.Canary; k != nil && g == c {
		variables := s.stage.Variables
		for name, v := range k.Overrides {
			variables = with(variables, name, v)
		}
		g, c = s.generations(k.Deployment, variables)
	}
	return g != c
}

// do carries out a step as package release does.
func (s *scene) do(r *Release, step Step) {
	pinned := slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Kind == Pin })
	switch step.Kind {
	case Pin:
		s.aliases[r.Pin] = r.To.Versions["f"]
	case PinOld:
		s.aliases[r.Pin] = r.From.Versions["f"]
	case HoldOld:
		s.stage = r.HeldOld()
	case Shift:
		s.stage = r.Shifted(step.Percent)
	case Flip:
		s.stage = r.Flipped(pinned)
	case MoveAlias:
		s.aliases[r.Alias] = r.To.Versions["f"]
	case Unpin:
		s.stage = r.Settled(true)
	}
}

// situations are moves between deployments made by a release and elsewhere.
func situation(t *rapid.T) (*Release, *scene) {
	pin := func(yes bool) string {
		if yes {
			return "releaseAlias"
		}
		return "stage"
	}
	fromPinned, toPinned := rapid.Bool().Draw(t, "from pinned"), rapid.Bool().Draw(t, "to pinned")
	if !fromPinned && !toPinned {
		toPinned = true // refused otherwise
	}
	strategy := Strategy{}
	if toPinned && rapid.Bool().Draw(t, "gradual") {
		strategy.Phases = []Phase{{10, time.Minute}, {50, time.Minute}}
	}
	variables := map[string]string{"stage": "prod", "table": "users"}
	if fromPinned {
		variables["releaseAlias"] = "prod"
	}
	r := &Release{
		Number: 7, Stage: "production", Alias: "prod", Pin: "release-7", Status: Running,
		Before: Stage{Deployment: "d1", Variables: variables},
		From:   Pair{Deployment: "d1", Variable: pin(fromPinned), Versions: map[string]string{"f": "1"}},
		To:     Pair{Deployment: "d2", Variable: pin(toPinned), Versions: map[string]string{"f": "2"}},
	}
	var err error
	r.Steps, err = Return(Situation{Pairing: BySnapshot, Strategy: strategy, From: r.From, To: r.To, FromPinned: fromPinned, ToPinned: toPinned})
	if err != nil {
		t.Fatal(err)
	}
	return r, &scene{
		stage: r.Before, aliases: map[string]string{"prod": "1"},
		gateway: map[string]int{"d1": 1, "d2": 2}, code: map[string]int{"1": 1, "2": 2},
		names: map[string]string{"d1": pin(fromPinned), "d2": pin(toPinned)},
	}
}

// TestNoStepMixes carries out the steps of any move, crashes after any of
// them, before its end was recorded or after, and goes on or back: at no
// moment does a request meet halves that don't belong together.
func TestNoStepMixes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, s := situation(t)
		check := func(when string) {
			if s.mixed() {
				t.Fatalf("%s: %+v %v", when, s.stage, s.aliases)
			}
		}
		until := rapid.IntRange(0, len(r.Steps)).Draw(t, "crash after")
		for r.Next < until {
			s.do(r, r.Steps[r.Next])
			check("after " + r.Steps[r.Next].String())
			r.Next++
		}
		if until > 0 && until < len(r.Steps) && rapid.Bool().Draw(t, "the next step took effect") {
			s.do(r, r.Steps[until])
		}
		if rapid.Bool().Draw(t, "go on") {
			for ; r.Next < len(r.Steps); r.Next++ {
				s.do(r, r.Steps[r.Next])
				check("going on, after " + r.Steps[r.Next].String())
			}
			if g, c := s.generations(s.stage.Deployment, s.stage.Variables); g != 2 || c != 2 || s.stage.Variables["stage"] != "prod" {
				t.Fatalf("the new pair isn't served: %+v %v", s.stage, s.aliases)
			}
			return
		}
		for moves := 0; ; moves++ {
			m := r.Restore(s.stage, map[string]string{"f": s.aliases["prod"]})
			if m.Done() {
				break
			}
			if moves > 5 {
				t.Fatal("the way back doesn't end")
			}
			if m.Stage != nil {
				s.stage = *m.Stage
			} else {
				s.aliases["prod"] = m.Aliases["f"]
			}
			check("going back")
		}
		if c := Between(s.stage, r.Before); !c.Empty() || s.aliases["prod"] != "1" {
			t.Fatalf("the old pair isn't served: %+v %v", s.stage, s.aliases)
		}
	})
}

func TestOrderedMovesAreRefusedUnlessAsked(t *testing.T) {
	t.Parallel()
	s := Situation{Pairing: BySnapshot, From: Pair{Deployment: "d1"}, To: Pair{Deployment: "d2"}}
	if _, err := Return(s); err == nil {
		t.Error("two deployments made elsewhere were moved between")
	}
	s.Pairing = InOrder
	if _, err := Return(s); err != nil {
		t.Error(err)
	}
	s.Strategy = Strategy{Phases: []Phase{{10, time.Minute}}}
	if _, err := Return(s); err == nil {
		t.Error("a share of the requests was moved in order")
	}
}

func TestParseStrategy(t *testing.T) {
	t.Parallel()
	s, err := ParseStrategy("dark, linear 25% every 1m")
	if err != nil || !s.Dark || len(s.Phases) != 3 || s.Phases[2] != (Phase{75, time.Minute}) {
		t.Errorf("%+v, %v", s, err)
	}
	for _, text := range []string{"most", "canary 0% for 1m", "canary 10% for ever", "canary 20% for 1m, canary 10% for 1m", "canary NaN% for 1m"} {
		if _, err := ParseStrategy(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// TestHistoryRefuses: what can't follow is an error, not a state.
func TestHistoryRefuses(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	begin := Event{Type: EventBegun, Release: 1, Begun: &Release{Number: 1, Stage: "s", Steps: []Step{{Kind: Flip}}}}
	for name, events := range map[string][]Event{
		"a step of nothing":     {{Type: EventStep, Release: 1}},
		"a number left out":     {{Type: EventBegun, Release: 2, Begun: &Release{Number: 2, Stage: "s"}}},
		"two at once":           {begin, {Type: EventBegun, Release: 2, Begun: &Release{Number: 2, Stage: "s"}}},
		"a step too far":        {begin, {Type: EventDone, Release: 1, Step: 1}},
		"done while going back": {begin, {Type: EventFailed, Release: 1}, {Type: EventDone, Release: 1}},
		"after the end":         {begin, {Type: EventEnded, Release: 1}, {Type: EventPaused, Release: 1}},
		"an unknown event":      {begin, {Type: "surprise", Release: 1}},
	} {
		h := &History{}
		var err error
		for _, e := range events {
			err = h.Apply(e, at)
		}
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

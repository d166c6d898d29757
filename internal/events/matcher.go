package events

import (
	"context"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/pattern"
	"github.com/butai-dev/butai/internal/store"
)

// matcher is an enabled rule with a pattern, and with targets.
type matcher struct {
	rule    *ruleRecord
	pattern *pattern.Pattern
}

// busMatchers are those of a bus, good for one generation of rules. They are
// immutable.
type busMatchers struct {
	generation uint64
	list       []matcher
}

// matchers returns the rules of a bus, compiled. They are compiled once for all
// events that come until some rule changes; an event that comes while one does
// meets either state.
func (s *Service) matchers(ctx context.Context, bus place) ([]matcher, error) {
	generation := s.rulesChanged.Load()
	if known, ok := s.compiled.Load(bus); ok && known.(*busMatchers).generation == generation {
		return known.(*busMatchers).list, nil
	}
	compiled := &busMatchers{generation: generation}
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		compiled.list, err = compileRules(r, bus)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(compiled.list) > 0 { // events may name any bus, and those have nothing to keep
		s.compiled.Store(bus, compiled)
	} else {
		s.compiled.Delete(bus)
	}
	return compiled.list, nil
}

// updateRules is Store.Update for what changes rules.
func (s *Service) updateRules(ctx context.Context, fn func(store.Tx) error) error {
	defer s.rulesChanged.Add(1) // whatever the error: it may be of the commit
	return s.Store.Update(ctx, fn)
}

func compileRules(r store.ReadTx, bus place) (out []matcher, err error) {
	for rule, err := range rules.All(r, bus.key()...) {
		if err != nil {
			return nil, err
		}
		if rule.Pattern == nil || rule.State != eventsapi.RuleStateENABLED || len(rule.Targets) == 0 {
			continue
		}
		p, err := pattern.Compile(*rule.Pattern)
		if err != nil {
			return nil, err // it was compiled when it was set
		}
		out = append(out, matcher{rule, p})
	}
	return out, nil
}

// match makes the deliveries of an event.
func (s *Service) match(matchers []matcher, e *event) (made []*deliveryRecord, err error) {
	if len(matchers) == 0 {
		return nil, nil
	}
	text, err := e.text()
	if err != nil {
		return nil, err
	}
	decoded, err := pattern.Decode(text)
	if err != nil {
		return nil, err
	}
	for _, m := range matchers {
		if !m.pattern.Matches(decoded) {
			continue
		}
		for i := range m.rule.Targets {
			made = append(made, s.newDelivery(m.rule, &m.rule.Targets[i], e))
		}
	}
	return made, nil
}

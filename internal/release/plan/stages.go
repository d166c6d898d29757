package plan

import (
	"maps"
	"slices"
)

// Flipped is the stage with the new pair in place: its integrations name the
// release's own alias, or the stage's where the deployment can do no other.
func (r *Release) Flipped(pinned bool) Stage {
	s := Stage{Deployment: r.To.Deployment, Variables: maps.Clone(r.Before.Variables)}
	if s.Variables == nil {
		s.Variables = map[string]string{}
	}
	maps.Copy(s.Variables, r.To.Variables)
	if !pinned {
		if r.From.Variable != r.To.Variable { // the pin's variable, of the deployment before
			delete(s.Variables, r.From.Variable)
		}
		s.Variables[r.To.Variable] = r.Alias
		return s
	}
	s.Variables[r.To.Variable] = r.Pin
	return s
}

// Settled is the stage with the new pair, named by the stage's own alias.
func (r *Release) Settled(pinned bool) Stage {
	s := r.Flipped(pinned)
	s.Variables[r.To.Variable] = r.Alias
	return s
}

// Shifted is the stage as it was, with a share of the requests on the new
// pair.
func (r *Release) Shifted(percent float64) Stage {
	s := r.Before
	s.Canary = &Canary{Deployment: r.To.Deployment, Percent: percent, Overrides: map[string]string{r.To.Variable: r.Pin}}
	for name, value := range r.To.Variables {
		if r.Before.Variables[name] != value && name != r.To.Variable {
			s.Canary.Overrides[name] = value
		}
	}
	return s
}

// HeldOld is the stage as it was, naming the release's own alias of the present
// versions.
func (r *Release) HeldOld() Stage {
	s := r.Before
	s.Variables = with(s.Variables, r.From.Variable, r.Pin)
	return s
}

// Remedy is the next move that brings a stage back; Nothing ends it.
type Remedy struct {
	Stage   *Stage            // change the stage to this
	Aliases map[string]string // or move the stage's alias to these versions, by function
	Wait    bool              // and then wait until it is in force everywhere
}

// Done reports whether the stage is back.
func (m Remedy) Done() bool { return m.Stage == nil && m.Aliases == nil }

// Restore finds the next move back from what is there now: the stage, and the
// version of the stage's alias by function. Whoever runs it, and however often,
// no request meets the old gateway with new code or the reverse: while the
// stage's alias moves, the stage names the pin.
func (r *Release) Restore(stage Stage, alias map[string]string) Remedy {
	moved := map[string]string{}
	for fn, version := range r.From.Versions {
		if alias[fn] != version {
			moved[fn] = version
		}
	}
	back := Between(stage, r.Before)
	if len(moved) == 0 {
		if back.Empty() {
			return Remedy{}
		}
		return Remedy{Stage: &r.Before}
	}
	if refuge := r.refuge(stage); refuge != nil {
		if c := Between(stage, *refuge); !c.Empty() {
			return Remedy{Stage: refuge, Wait: true}
		}
	}
	return Remedy{Aliases: moved, Wait: true}
}

// refuge is the stage while its alias moves back: one that doesn't name the
// alias. It is nil if there is none, or no need of one.
func (r *Release) refuge(stage Stage) *Stage {
	switch {
	case r.passed(PinOld): // the pin runs the versions to go back to
		s := r.HeldOld()
		return &s
	case r.passed(Pin) && !stage.Missing && stage.Deployment == r.To.Deployment && r.To.Deployment != r.Before.Deployment:
		s := stage
		s.Variables = with(stage.Variables, r.To.Variable, r.Pin)
		return &s
	}
	return nil
}

// Has reports whether a release has a step of this kind.
func (r *Release) Has(kind Kind) bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Kind == kind })
}

// InTheDark reports whether the new pair is on a stage of its own, and waits.
func (r *Release) InTheDark() bool { return r.passed(Dark) && !r.passed(Hold) }

// passed reports whether a step of this kind was done.
func (r *Release) passed(kind Kind) bool {
	for _, s := range r.Steps[:min(r.Next, len(r.Steps))] {
		if s.Kind == kind {
			return true
		}
	}
	return false
}

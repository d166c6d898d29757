package plan

import (
	"fmt"
	"maps"
	"time"
)

// Status is where a release stands.
type Status string

// A release is running until it has ended, whether or not anybody runs it.
const (
	Running   Status = "running"
	Paused    Status = "paused"    // somebody asked it to wait
	Held      Status = "held"      // it waits for a person, or a gate had too little to judge by
	Restoring Status = "restoring" // a gate failed or somebody aborted; the stage goes back
	Released  Status = "released"
	Restored  Status = "restored" // the stage serves what it served before
)

// Ended reports whether nothing more will happen.
func (s Status) Ended() bool { return s == Released || s == Restored }

// Release is one move of a stage, as the journal tells it.
type Release struct {
	Number int `json:"number"`
	// Action is adopt, deploy, promote or rollback.
	Action   string `json:"action"`
	Stage    string `json:"stage"`
	Source   string `json:"source,omitempty"`   // the stage a promotion comes from
	Returns  int    `json:"returns,omitempty"`  // the release a rollback goes back to
	Alias    string `json:"alias,omitempty"`    // the stage's
	Pin      string `json:"pin,omitempty"`      // the release's own alias
	Strategy string `json:"strategy,omitempty"` // as it was written
	Who      string `json:"who,omitempty"`
	Why      string `json:"why,omitempty"`
	Commit   string `json:"commit,omitempty"`
	// Override is why a freeze was broken, if one was.
	Override string    `json:"override,omitempty"`
	Begun    time.Time `json:"begun"`
	Ended    time.Time `json:"ended,omitzero"`

	// Before is the stage as it was found; From and To are the pairs.
	Before Stage  `json:"before"`
	From   Pair   `json:"from"`
	To     Pair   `json:"to"`
	Steps  []Step `json:"steps,omitempty"`

	Next    int      `json:"next"` // index of the first step that isn't done
	Status  Status   `json:"status"`
	Reason  string   `json:"reason,omitempty"`
	Results []Result `json:"results,omitempty"`
}

// Result is what a check or gate found.
type Result struct {
	Time    time.Time `json:"time"`
	Step    string    `json:"step"`
	Name    string    `json:"name"`
	Verdict Verdict   `json:"verdict"`
	Detail  string    `json:"detail,omitempty"`
	Seconds float64   `json:"seconds,omitempty"`
}

// Verdict is what a gate says.
type Verdict string

// An inconclusive gate holds: it had too few requests to judge by.
const (
	Passed       Verdict = "passed"
	Failed       Verdict = "failed"
	Inconclusive Verdict = "inconclusive"
)

// Facts are what a step has found out or made.
type Facts struct {
	Deployment string            `json:"deployment,omitempty"`
	Variable   string            `json:"variable,omitempty"`
	Versions   map[string]string `json:"versions,omitempty"`
	Code       map[string]string `json:"code,omitempty"`
	Definition string            `json:"definition,omitempty"`
}

// Event is one line of the journal, apart from what chains it.
type Event struct {
	Release int       `json:"release,omitempty"`
	Stage   string    `json:"stage,omitempty"`
	Type    string    `json:"type"`
	Step    int       `json:"step,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Who     string    `json:"who,omitempty"`
	Begun   *Release  `json:"begun,omitempty"`
	Facts   *Facts    `json:"facts,omitempty"`
	Results []Result  `json:"results,omitempty"`
	Until   time.Time `json:"until,omitzero"`
	Removed []string  `json:"removed,omitempty"` // by prune
}

// Types of events.
const (
	EventBegun    = "begun"    // a release, with its steps
	EventStep     = "step"     // a step is about to be done
	EventDone     = "done"     // a step was done
	EventHeld     = "held"     // a step waits for a person
	EventPaused   = "paused"   // somebody asked the release to wait
	EventResumed  = "resumed"  // somebody asked it to go on, or agreed
	EventAborted  = "aborted"  // somebody asked it to go back
	EventFailed   = "failed"   // a gate failed; it goes back
	EventEnded    = "ended"    // the stage serves the new pair
	EventRestored = "restored" // the stage serves the old pair
	EventFrozen   = "frozen"   // no release of a stage may begin
	EventThawed   = "thawed"
	EventPruned   = "pruned"
)

// Freeze keeps a stage as it is.
type Freeze struct {
	Who    string    `json:"who"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until,omitzero"` // zero: until it is lifted
}

// In reports whether the freeze holds at a time.
func (f *Freeze) In(now time.Time) bool { return f != nil && (f.Until.IsZero() || now.Before(f.Until)) }

// History is what the journal amounts to.
type History struct {
	Releases []*Release // by number, from 1
	Frozen   map[string]*Freeze
	// Pinned names, by deployment, the variable that its integrations take
	// the alias from, for deployments that a release made.
	Pinned map[string]string
	// Pruned are the deployments and versions that prune has removed, as
	// "deployment ID" and "version FUNCTION:VERSION".
	Pruned map[string]bool
}

// Whole reports whether everything that a pair needs is still there.
func (h *History) Whole(p Pair) bool {
	for fn, v := range p.Versions {
		if h.Pruned["version "+fn+":"+v] {
			return false
		}
	}
	return !h.Pruned["deployment "+p.Deployment]
}

// Find returns a release, or nil.
func (h *History) Find(number int) *Release {
	if number < 1 || number > len(h.Releases) {
		return nil
	}
	return h.Releases[number-1]
}

// Open returns the stage's release that hasn't ended, or nil.
func (h *History) Open(stage string) *Release {
	for _, r := range h.Releases {
		if r.Stage == stage && !r.Status.Ended() {
			return r
		}
	}
	return nil
}

// Last returns the stage's latest release that was released, or nil.
func (h *History) Last(stage string) *Release {
	var last *Release
	for _, r := range h.Releases {
		if r.Stage == stage && r.Status == Released {
			last = r
		}
	}
	return last
}

// Left is what releases have left a stage to serve: its last one, and the
// deployment of a later promotion from it that needed one of its own.
func (h *History) Left(stage string) (Pair, bool) {
	last := h.Last(stage)
	if last == nil {
		return Pair{}, false
	}
	pair := last.To
	pair.Variables = last.leftVariables()
	for _, r := range h.Releases[last.Number:] {
		if r.Source == stage && r.passed(MoveSource) {
			pair.Deployment = r.To.Deployment
			pair.Variables = with(pair.Variables, r.To.Variable, last.Alias)
		}
	}
	return pair, true
}

// leftVariables are the stage's variables after a release.
func (r *Release) leftVariables() map[string]string {
	out := with(r.Before.Variables, r.To.Variable, r.Alias)
	maps.Copy(out, r.To.Variables)
	out[r.To.Variable] = r.Alias
	if r.Has(Flip) && !r.Has(Pin) && r.From.Variable != r.To.Variable {
		delete(out, r.From.Variable)
	}
	return out
}

// Apply takes one more event. It fails on one that can't follow.
func (h *History) Apply(e Event, at time.Time) error {
	switch e.Type {
	case EventBegun:
		return h.begin(e, at)
	case EventFrozen:
		if h.Frozen == nil {
			h.Frozen = map[string]*Freeze{}
		}
		h.Frozen[e.Stage] = &Freeze{Who: e.Who, Reason: e.Reason, Until: e.Until}
		return nil
	case EventThawed:
		delete(h.Frozen, e.Stage)
		return nil
	case EventPruned:
		if h.Pruned == nil {
			h.Pruned = map[string]bool{}
		}
		for _, what := range e.Removed {
			h.Pruned[what] = true
		}
		return nil
	}
	r := h.Find(e.Release)
	if r == nil {
		return fmt.Errorf("%s of release %d, which hasn't begun", e.Type, e.Release)
	}
	if r.Status.Ended() {
		return fmt.Errorf("%s of release %d, which has ended", e.Type, e.Release)
	}
	return h.follow(r, e, at)
}

func (h *History) begin(e Event, at time.Time) error {
	if e.Begun == nil || e.Begun.Number != len(h.Releases)+1 {
		return fmt.Errorf("release %d begins after %d", e.Release, len(h.Releases))
	}
	if open := h.Open(e.Begun.Stage); open != nil {
		return fmt.Errorf("release %d of stage %s begins before release %d has ended", e.Release, open.Stage, open.Number)
	}
	r := *e.Begun
	r.Begun, r.Status = at, Running
	h.Releases = append(h.Releases, &r)
	return nil
}

func (h *History) follow(r *Release, e Event, at time.Time) error {
	if r.Status == Restoring && e.Type != EventRestored {
		return fmt.Errorf("%s of release %d, whose stage goes back", e.Type, e.Release)
	}
	r.Results = append(r.Results, e.Results...)
	switch e.Type {
	case EventStep, EventDone:
		if e.Step != r.Next || r.Next >= len(r.Steps) {
			return fmt.Errorf("%s %d of release %d, whose next is %d", e.Type, e.Step, e.Release, r.Next)
		}
		if e.Type == EventDone {
			r.Next++
			h.take(r, e.Facts)
		}
	case EventHeld:
		r.Status, r.Reason = Held, e.Reason
	case EventPaused:
		r.Status, r.Reason = Paused, e.Reason
	case EventResumed:
		r.Status, r.Reason = Running, ""
	case EventAborted, EventFailed:
		r.Status, r.Reason = Restoring, e.Reason
	case EventEnded:
		r.Status, r.Reason, r.Ended = Released, e.Reason, at
		h.take(r, e.Facts)
	case EventRestored:
		r.Status, r.Ended = Restored, at
	default:
		return fmt.Errorf("unknown event %q", e.Type)
	}
	return nil
}

// take enters into the new pair what a step has found out.
func (h *History) take(r *Release, f *Facts) {
	if f == nil {
		return
	}
	if f.Deployment != "" {
		r.To.Deployment = f.Deployment
	}
	if f.Variable != "" {
		r.To.Variable = f.Variable
		if h.Pinned == nil {
			h.Pinned = map[string]string{}
		}
		h.Pinned[r.To.Deployment] = f.Variable
	}
	if f.Definition != "" {
		r.To.Definition = f.Definition
	}
	r.To.Versions, r.To.Code = merge(r.To.Versions, f.Versions), merge(r.To.Code, f.Code)
}

func merge(a, b map[string]string) map[string]string {
	if len(b) == 0 {
		return a
	}
	out := maps.Clone(b)
	for k, v := range a {
		if _, ok := out[k]; !ok {
			out[k] = v
		}
	}
	return out
}

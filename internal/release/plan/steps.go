package plan

import (
	"fmt"
	"time"
)

// Kind names what a step does.
type Kind string

// The steps. Each can run again after a crash: it looks at what is there and
// does what is missing.
const (
	Publish      Kind = "publish"       // freeze $LATEST as a version, where the source runs $LATEST
	Deploy       Kind = "deploy"        // make a deployment of the API as it is now
	MoveSource   Kind = "move-source"   // let the source stage serve the new deployment
	VerifySource Kind = "verify-source" // run the checks on the source stage
	Permissions  Kind = "permissions"   // may API Gateway call each function's alias of this stage?
	Pin          Kind = "pin"           // give the new versions an alias of their own, with the stage alias's permissions
	PinOld       Kind = "pin-old"       // give the present versions such an alias
	HoldOld      Kind = "hold-old"      // let the stage name that alias; nothing changes for its requests
	Propagate    Kind = "propagate"     // wait until the last change is in force everywhere
	Dark         Kind = "dark"          // serve the new pair on a stage of its own
	Hold         Kind = "hold"          // wait for a person
	Shift        Kind = "shift"         // give the new pair a share of the requests
	Watch        Kind = "watch"         // gates, for a while
	Flip         Kind = "flip"          // deployment and alias in one call
	Verify       Kind = "verify"        // gates, once
	MoveAlias    Kind = "move-alias"    // the stage's alias follows to the new versions
	Unpin        Kind = "unpin"         // the stage names its own alias again
	Clean        Kind = "clean"         // drop pins of earlier releases and the dark stage
)

// Step is one step of a release.
type Step struct {
	Kind    Kind          `json:"kind"`
	Percent float64       `json:"percent,omitempty"`
	For     time.Duration `json:"for,omitempty"` // nanoseconds
}

// String is the step as progress shows it.
func (s Step) String() string {
	switch s.Kind {
	case Shift:
		return fmt.Sprintf("shift %g%%", s.Percent)
	case Watch:
		return fmt.Sprintf("watch %s", s.For)
	}
	return string(s.Kind)
}

// Pairing says how the two halves move.
type Pairing string

const (
	// ByVariable: integrations take the alias from a stage variable that
	// nothing else reads, so one UpdateStage moves deployment and alias.
	ByVariable Pairing = "variable"
	// BySnapshot: templates or handlers read that variable too, and it must
	// keep its value. Deployments are made with integrations that take the
	// alias from a variable of the release's own.
	BySnapshot Pairing = "snapshot"
	// InOrder: the alias moves and then the deployment. Requests between the
	// two meet new code behind the old gateway.
	InOrder Pairing = "ordered"
)

// Situation is what decides the steps of a move.
type Situation struct {
	Pairing  Pairing
	Strategy Strategy
	From, To Pair // To's versions may still be unknown
	// FromPinned and ToPinned: the deployment takes the alias from a variable
	// that the release may change.
	FromPinned, ToPinned bool
	Checks               bool // there are checks to run
	Approval             bool // a person must agree before the requests move
	First                bool // the stage doesn't exist yet
}

// Promotion lists the steps that bring a source stage's pair to a stage.
func Promotion(s Situation) ([]Step, error) {
	steps := []Step{{Kind: Publish}}
	if s.Pairing == BySnapshot && !s.ToPinned {
		steps = append(steps, Step{Kind: Deploy}, Step{Kind: MoveSource}, Step{Kind: VerifySource})
		s.ToPinned = true
	} else if s.Checks {
		steps = append(steps, Step{Kind: VerifySource})
	}
	steps = append(steps, Step{Kind: Permissions})
	moves, err := moves(s)
	return append(steps, moves...), err
}

// Return lists the steps that bring a stage back to an earlier pair.
func Return(s Situation) ([]Step, error) {
	moves, err := moves(s)
	return append([]Step{{Kind: Permissions}}, moves...), err
}

// moves lists the steps from one pair to the other.
func moves(s Situation) ([]Step, error) {
	switch {
	case s.ToPinned:
		return pinned(s), nil
	case s.Strategy.Dark || len(s.Strategy.Phases) > 0:
		return nil, fmt.Errorf("only strategy \"all\" can move to deployment %s: its integrations name the alias by a variable that others read", s.To.Deployment)
	case s.FromPinned:
		return unpinned(s), nil
	case s.Pairing == InOrder || s.From.Deployment == s.To.Deployment:
		return []Step{{Kind: MoveAlias}, {Kind: Flip}, {Kind: Verify}}, nil
	}
	return nil, fmt.Errorf("deployments %s and %s were both made elsewhere and name the alias by a variable that others read: "+
		"gateway and code can't move together. Promote instead, or set pairing: ordered", s.From.Deployment, s.To.Deployment)
}

// pinned moves to a pair whose deployment names a fresh alias: nothing that
// serves requests changes before the flip, nor ever mixes.
func pinned(s Situation) []Step {
	steps := []Step{{Kind: Pin}, {Kind: Propagate}}
	if s.Strategy.Dark {
		steps = append(steps, Step{Kind: Dark}, Step{Kind: Propagate}, Step{Kind: Verify}, Step{Kind: Hold})
	}
	if s.Approval && !s.Strategy.Dark {
		steps = append(steps, Step{Kind: Hold})
	}
	if !s.First { // there is nothing to share with
		for _, p := range s.Strategy.Phases {
			steps = append(steps, Step{Kind: Shift, Percent: p.Percent}, Step{Kind: Watch, For: p.For})
		}
	}
	return append(steps, Step{Kind: Flip}, Step{Kind: Verify},
		Step{Kind: Propagate}, Step{Kind: MoveAlias}, Step{Kind: Unpin}, Step{Kind: Clean})
}

// unpinned moves to a pair whose deployment names the stage's own alias: the
// present pair is pinned to a fresh one first, so that the stage's alias can
// move with nobody on it.
func unpinned(Situation) []Step {
	return []Step{
		{Kind: PinOld}, {Kind: Propagate}, {Kind: HoldOld}, {Kind: Propagate}, {Kind: MoveAlias}, {Kind: Propagate},
		{Kind: Flip}, {Kind: Verify}, {Kind: Clean},
	}
}

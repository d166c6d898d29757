package release

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/release/check"
	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/journal"
	"github.com/butai-dev/butai/internal/release/plan"
)

// Engine carries releases out. Make one a command; the fields up to Who are
// required, except that Metrics may be nil where no gate asks for any.
type Engine struct {
	Config    *config.File
	Account   Account
	Gateway   Gateway
	Functions Functions
	Records   Records
	Metrics   Metrics
	Domains   Domains // of stages that have one
	Checks    *check.Runner
	Clock     clock.Clock
	// Who is written into the records, and holds the leases.
	Who string
	// Progress is told of everything that happens.
	Progress func(Progress)
	// BreakGlass is why a freeze doesn't hold for this command; "" if it does.
	BreakGlass string

	owner   string // of leases
	history *plan.History
	last    *journal.Entry
}

// Progress is one thing that happened.
type Progress struct {
	Release int           `json:"release"`
	Stage   string        `json:"stage"`
	Event   string        `json:"event"` // begin, done, gate, wait, held, restoring, ended
	Step    int           `json:"step"`
	Steps   int           `json:"steps"`
	Name    string        `json:"name,omitempty"`
	Text    string        `json:"text,omitempty"`
	Took    time.Duration `json:"took,omitempty"`
	Left    time.Duration `json:"left,omitempty"`
	Results []plan.Result `json:"results,omitempty"`
	Numbers []Numbers     `json:"numbers,omitempty"` // old, new
}

// The outcomes of a release that isn't one, apart from errors.
var (
	// ErrNothing says that the stage serves that pair already.
	ErrNothing = errors.New("nothing to release: the stage serves this pair already")
	// ErrInterrupted says that the command was ended; the release can be
	// resumed or aborted.
	ErrInterrupted = errors.New("interrupted: the release can be resumed or aborted")
)

// HeldError says that a release waits for somebody.
type HeldError struct {
	Release *plan.Release
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("release %d of stage %s is %s: %s", e.Release.Number, e.Release.Stage, e.Release.Status, e.Release.Reason)
}

// RestoredError says that a release failed and the stage serves what it
// served before.
type RestoredError struct {
	Release *plan.Release
}

func (e *RestoredError) Error() string {
	return fmt.Sprintf("release %d of stage %s was taken back: %s", e.Release.Number, e.Release.Stage, e.Release.Reason)
}

// FrozenError says that a stage is frozen.
type FrozenError struct {
	Stage  string
	Freeze *plan.Freeze
}

func (e *FrozenError) Error() string {
	until := "until somebody lifts it"
	if !e.Freeze.Until.IsZero() {
		until = "until " + e.Freeze.Until.Format(time.RFC3339)
	}
	return fmt.Sprintf("stage %s is frozen by %s %s: %s", e.Stage, e.Freeze.Who, until, e.Freeze.Reason)
}

// OpenError says that a release hasn't ended.
type OpenError struct{ Release *plan.Release }

func (e *OpenError) Error() string {
	return fmt.Sprintf("release %d of stage %s is %s; butai release resume %s or abort %s",
		e.Release.Number, e.Release.Stage, e.Release.Status, e.Release.Stage, e.Release.Stage)
}

// Load reads the journal, checks its chain and returns what it amounts to.
func (e *Engine) Load(ctx context.Context) (*plan.History, error) {
	if e.history == nil {
		e.history = &plan.History{}
	}
	after := 0
	if e.last != nil {
		after = e.last.Seq
	}
	entries, err := e.Records.Entries(ctx, after)
	if err != nil {
		return nil, fmt.Errorf("read the records in %s: %w", e.Config.Records, err)
	}
	e.last, err = journal.Replay(e.history, e.last, entries)
	return e.history, err
}

// History is what Load has read.
func (e *Engine) History() *plan.History { return e.history }

// write adds an event to the journal. If others have written meanwhile, it
// reads that and asks whether the event still makes sense.
func (e *Engine) write(ctx context.Context, event plan.Event, still func() bool) error {
	event.Who = e.Who
	for {
		if still != nil && !still() {
			return errOvertaken
		}
		line, err := journal.Next(e.last, event, e.Clock.Now())
		if err != nil {
			return err
		}
		switch err := e.Records.Append(ctx, line); {
		case err == nil:
			e.last, err = journal.Replay(e.history, e.last, []journal.Entry{*line})
			return err
		case !errors.Is(err, ErrTaken):
			return fmt.Errorf("write the record: %w", err)
		}
		if _, err := e.Load(ctx); err != nil {
			return err
		}
	}
}

// errOvertaken says that what others wrote makes an event pointless.
var errOvertaken = errors.New("overtaken")

// heartbeats is how often a lease is renewed before it would end.
const heartbeats = 3

// maxBeat is how long a renewal may take, if the lease isn't shorter.
const maxBeat = 5 * time.Second

// leased runs fn while it holds a stage's lease. If the lease is lost, fn's
// context ends.
func (e *Engine) leased(ctx context.Context, stage string, fn func(context.Context) error) error {
	if e.owner == "" {
		e.owner = e.Who + " " + ident.Lower(6)
	}
	length := time.Duration(e.Config.Lease)
	renew := func(ctx context.Context) error {
		now := e.Clock.Now()
		return e.Records.Lease(ctx, stage, e.owner, now, now.Add(length))
	}
	if err := renew(ctx); err != nil {
		return err
	}
	held, lose := context.WithCancelCause(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		for sleep(held, length/heartbeats) == nil {
			// A renewal that was broken off could arrive after the lease has
			// been given back, and nobody would hold what it takes.
			beat, cancel := context.WithTimeout(context.WithoutCancel(held), min(length, maxBeat))
			err := renew(beat)
			cancel()
			if err != nil && held.Err() == nil {
				lose(err)
			}
		}
	}()
	err := fn(held)
	if cause := context.Cause(held); cause != nil && ctx.Err() == nil {
		err = cause
	}
	lose(nil)
	<-beating
	// A command that was interrupted doesn't wait for it. The lease ends by
	// itself if it can't be given back, and what was done stays done.
	patience := length
	if ctx.Err() != nil {
		patience = time.Second
	}
	free, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	_ = e.Records.Unlease(free, stage, e.owner)
	return err
}

// sleep waits, or returns why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *Engine) tell(r *plan.Release, p Progress) {
	if e.Progress != nil {
		p.Release, p.Stage, p.Step, p.Steps = r.Number, r.Stage, r.Next, len(r.Steps)
		e.Progress(p)
	}
}

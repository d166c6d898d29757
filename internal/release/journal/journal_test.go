package journal

import (
	"slices"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/release/plan"
)

func lines(t *testing.T) []Entry {
	t.Helper()
	var out []Entry
	var last *Entry
	for _, e := range []plan.Event{
		{Type: plan.EventBegun, Release: 1, Begun: &plan.Release{Number: 1, Stage: "s", Steps: []plan.Step{{Kind: plan.Flip}}}},
		{Type: plan.EventStep, Release: 1}, {Type: plan.EventDone, Release: 1, Facts: &plan.Facts{Versions: map[string]string{"f": "2", "a": "1"}}},
		{Type: plan.EventEnded, Release: 1},
	} {
		next, err := Next(last, e, time.Unix(1, 23456789))
		if err != nil {
			t.Fatal(err)
		}
		out, last = append(out, *next), next
	}
	return out
}

func TestReplay(t *testing.T) {
	t.Parallel()
	h := &plan.History{}
	if _, err := Replay(h, nil, lines(t)); err != nil {
		t.Fatal(err)
	}
	if r := h.Find(1); r.Status != plan.Released || r.To.Versions["f"] != "2" {
		t.Errorf("%+v", r)
	}
}

// TestReplayFindsTampering: a line changed, dropped, moved or slipped in.
func TestReplayFindsTampering(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(e []Entry) []Entry{
		"changed":    func(e []Entry) []Entry { e[1].Event.Who = "somebody else"; return e },
		"dropped":    func(e []Entry) []Entry { return slices.Delete(e, 1, 2) },
		"beheaded":   func(e []Entry) []Entry { return e[1:] },
		"moved":      func(e []Entry) []Entry { e[1], e[2] = e[2], e[1]; return e },
		"slipped in": func(e []Entry) []Entry { return slices.Insert(e, 2, e[1]) },
		"rehashed": func(e []Entry) []Entry { // the lines after it still name the old hash
			e[1].Event.Who = "somebody else"
			e[1].Hash, _ = e[1].digest()
			return e
		},
	} {
		if _, err := Replay(&plan.History{}, nil, spoil(lines(t))); err == nil {
			t.Errorf("%s: not found out", name)
		}
	}
}

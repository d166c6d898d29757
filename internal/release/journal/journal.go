// Package journal chains the events of all releases of an API, so that a line
// changed, dropped or slipped in is found out. It is pure; whoever stores the
// lines must keep two writers from taking the same place.
package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/butai-dev/butai/internal/release/plan"
)

// Entry is one line.
type Entry struct {
	Seq  int       `json:"seq"` // from 1, without gaps
	Time time.Time `json:"time"`
	// Prev is the hash of the line before; "" for the first.
	Prev  string     `json:"prev"`
	Event plan.Event `json:"event"`
	// Hash is the SHA-256 of the line's JSON with an empty Hash.
	Hash string `json:"hash"`
}

// Next makes the line that follows last, which is nil for the first.
func Next(last *Entry, event plan.Event, now time.Time) (*Entry, error) {
	e := &Entry{Seq: 1, Time: now.UTC().Truncate(time.Millisecond), Event: event}
	if last != nil {
		e.Seq, e.Prev = last.Seq+1, last.Hash
	}
	var err error
	e.Hash, err = e.digest()
	return e, err
}

// digest is the hash that the line ought to have. Struct order and sorted map
// keys make the JSON the same each time.
func (e *Entry) digest() (string, error) {
	bare := *e
	bare.Hash = ""
	text, err := json.Marshal(&bare)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// Replay checks the chain and applies it to a history.
func Replay(h *plan.History, last *Entry, entries []Entry) (*Entry, error) {
	for i := range entries {
		e := &entries[i]
		seq, prev := 1, ""
		if last != nil {
			seq, prev = last.Seq+1, last.Hash
		}
		if e.Seq != seq {
			return last, fmt.Errorf("the journal is broken: line %d follows %d", e.Seq, seq-1)
		}
		want, err := e.digest()
		if err != nil {
			return last, err
		}
		if e.Prev != prev || e.Hash != want {
			return last, fmt.Errorf("the journal is broken at line %d: its hash doesn't fit; it was changed after it was written", e.Seq)
		}
		if err := h.Apply(e.Event, e.Time); err != nil {
			return last, fmt.Errorf("journal line %d: %w", e.Seq, err)
		}
		last = e
	}
	return last, nil
}

package secretsmanager

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
)

// steps are what a rotation function is called with, one after the other (User
// Guide: "Lambda rotation functions").
var steps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}

// stepEvent is what the function gets.
type stepEvent struct {
	Step               string
	SecretID           string `json:"SecretId"`
	ClientRequestToken string
}

// waits are how long a rotation that failed is left before it is tried again;
// after the last it waits for its next date, or for RotateSecret.
var waits = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute}

// next is when there is something to do for the secret; zero for never.
func (rec *secretRecord) next() time.Time {
	switch r := rec.Rotation; {
	case !rec.Gone.IsZero():
		return rec.Gone
	case r == nil || !r.Enabled:
		return time.Time{}
	case r.Version != "" && !r.Again.IsZero():
		return r.Again
	default:
		return r.Due
	}
}

// wind queues what there is to do for the secret.
func (s *Service) wind(rec *secretRecord) {
	if at := rec.next(); !at.IsZero() {
		s.clockwork.Add(due.Ticket{ID: strings.Join(rec.place().key(), "/"), Lane: rec.Account, Due: at})
	}
}

// attend does what is due for a secret. Of two tickets for one piece of work
// the later finds nothing to do.
func (s *Service) attend(ctx context.Context, id string) (again time.Time, err error) {
	if _, taken := s.busy.LoadOrStore(id, true); taken {
		return s.Clock.Now().Add(time.Second), nil
	}
	defer s.busy.Delete(id)
	part := strings.SplitN(id, "/", 3)
	p := place{part[0], part[1], part[2]}
	var rec *secretRecord
	err = s.Store.Update(ctx, func(tx store.Tx) (err error) {
		rec, err = secrets.Get(tx, p.key()...)
		if err != nil || rec == nil {
			return err
		}
		if s.isGone(rec) {
			defer func() { rec = nil }()
			return remove(tx, p)
		}
		return s.beginIfDue(tx, rec)
	})
	if err != nil || rec == nil || !rec.rotating(s.Clock.Now()) {
		return time.Time{}, err
	}
	failure := s.rotate(ctx, rec)
	if ctx.Err() != nil {
		return time.Time{}, ctx.Err() // the next start goes on with it
	}
	return s.settle(ctx, rec, failure)
}

// rotating reports whether a rotation is under way and to be gone on with.
func (rec *secretRecord) rotating(now time.Time) bool {
	r := rec.Rotation
	return r != nil && r.Enabled && r.Version != "" && !r.Again.IsZero() && !r.Again.After(now) && rec.Deletion.IsZero()
}

// beginIfDue begins the rotation of a secret whose date has come; one that has
// not come to its end is tried again.
func (s *Service) beginIfDue(tx store.Tx, rec *secretRecord) error {
	r, now := rec.Rotation, s.Clock.Now()
	if r == nil || !r.Enabled || r.Due.IsZero() || r.Due.After(now) || !rec.Deletion.IsZero() {
		return nil
	}
	token := r.Version
	if token == "" || r.TestOnly {
		token = ident.UUID()
	}
	if err := rec.plan(now.UTC()); err != nil {
		return err
	}
	if err := s.begin(tx, rec, token, false); err != nil {
		return err
	}
	return secrets.Put(tx, rec, rec.place().key()...)
}

// rotate calls the function for each step.
func (s *Service) rotate(ctx context.Context, rec *secretRecord) error {
	for _, step := range steps {
		if rec.Rotation.TestOnly && step != "testSecret" {
			continue
		}
		event, err := json.Marshal(stepEvent{step, rec.arn(), rec.Rotation.Version})
		if err != nil {
			return err
		}
		if err := s.Functions.Rotate(ctx, rec.Rotation.Function, rec.arn(), rec.Account, event); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return nil
}

// settle keeps how an attempt has ended. It has succeeded if the function has
// made its version the current one.
func (s *Service) settle(ctx context.Context, seen *secretRecord, failure error) (again time.Time, err error) {
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		again = time.Time{}
		rec, err := secrets.Get(tx, seen.place().key()...)
		if err != nil || rec == nil || rec.Suffix != seen.Suffix || rec.Rotation == nil || rec.Rotation.Version != seen.Rotation.Version {
			return err // it is another one's, or was cancelled
		}
		r := rec.Rotation
		switch {
		case r.TestOnly:
			if err := rec.endTest(tx); err != nil {
				return err
			}
		case failure == nil && rec.Stages[current] == r.Version:
			r.Last, r.Version, r.Again = s.now(), "", time.Time{}
			rec.Changed = r.Last
		case r.Attempts < len(waits):
			r.Again = s.Clock.Now().Add(waits[r.Attempts])
			r.Attempts++
		default:
			r.Again = time.Time{}
		}
		again = rec.next()
		return secrets.Put(tx, rec, rec.place().key()...)
	})
	if failure != nil {
		s.Log.Warn("a secret couldn't be rotated", "secret", seen.arn(), "function", seen.Rotation.Function, "reason", failure)
	}
	return again, err
}

// endTest takes the version of a test away, if nothing was made of it.
func (rec *secretRecord) endTest(tx store.Tx) error {
	r := rec.Rotation
	id := r.Version
	r.Version, r.TestOnly, r.Again = "", false, time.Time{}
	if rec.Stages[pending] == id {
		delete(rec.Stages, pending)
	}
	if rec.labels(id) != nil {
		return nil
	}
	return versions.Delete(tx, rec.place().key(id)...)
}

package ecr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// AWS applies lifecycle policies within a day of a change. Here it is a minute
// after the last push, so that an index finds the images which were pushed
// before it, and then each hour, since images grow old.
const (
	settled   = time.Minute
	reviewing = time.Hour
)

// expiry knows when repositories are to be looked at next.
type expiry struct {
	queue *due.Queue
	mu    sync.Mutex
	next  map[place]time.Time
}

// startExpiry looks at each repository with a lifecycle policy.
func (s *Service) startExpiry(ctx context.Context) error {
	s.expiry.next = map[place]time.Time{}
	s.expiry.queue = due.New(s.review, s.Clock)
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		for rec, err := range repositories.All(r) {
			if err != nil {
				return err
			}
			if rec.Lifecycle.Text != "" {
				s.reviewAt(rec.place(), s.Clock.Now())
			}
		}
		return nil
	})
	if err != nil {
		s.expiry.queue.Close(ctx)
		return fmt.Errorf("list lifecycle policies: %w", err)
	}
	return nil
}

// expireSoon applies the repository's lifecycle policy when it has come to
// rest. It may be called within a transaction, whether or not that succeeds.
func (s *Service) expireSoon(rec *repositoryRecord) {
	if rec.Lifecycle.Text != "" {
		s.reviewAt(rec.place(), s.Clock.Now().Add(settled))
	}
}

// reviewAt makes sure that a repository is looked at by then.
func (s *Service) reviewAt(p place, at time.Time) {
	s.expiry.mu.Lock()
	defer s.expiry.mu.Unlock()
	if have, ok := s.expiry.next[p]; !ok || at.Before(have) {
		s.expiry.next[p] = at
		s.expiry.queue.Add(due.Ticket{ID: strings.Join(p.key(), "/"), Lane: "expiry", Due: at})
	}
}

// review is called when a ticket is due. Of two for one repository the later
// finds nothing to do.
func (s *Service) review(ctx context.Context, id string) (again time.Time) {
	part := strings.SplitN(id, "/", 3)
	p := place{part[0], part[1], part[2]}
	s.expiry.mu.Lock()
	at, ok := s.expiry.next[p]
	isDue := ok && !at.After(s.Clock.Now())
	if isDue {
		delete(s.expiry.next, p)
	}
	s.expiry.mu.Unlock()
	if !isDue {
		return time.Time{}
	}
	next, err := s.expire(ctx, p)
	if err != nil && ctx.Err() == nil {
		s.Log.Error("a lifecycle policy couldn't be applied", "repository", p.arn(), "reason", err)
		next = s.Clock.Now().Add(reviewing)
	}
	if !next.IsZero() {
		s.reviewAt(p, next)
	}
	return time.Time{}
}

// expire deletes the images that a repository's lifecycle policy marks, and
// returns when to look again; the zero time without a policy.
func (s *Service) expire(ctx context.Context, p place) (next time.Time, err error) {
	now, expired := s.Clock.Now().UTC(), 0
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		next, expired = time.Time{}, 0
		rec, err := repositories.Get(tx, p.key()...)
		if err != nil || rec == nil || rec.Lifecycle.Text == "" {
			return err
		}
		list, byDigest, err := shelf(tx, p)
		if err != nil {
			return err
		}
		if rest := s.restsAt(p, list); rest.After(now) {
			next = rest
			return nil
		}
		policy, err := parseLifecycle(rec.Lifecycle.Text)
		if err != nil {
			return err
		}
		marked := policy.evaluate(candidates(list, byDigest), now)
		var freed []string
		for _, image := range list {
			if marked[image.Digest] == nil && (image.Subject == "" || marked[image.Subject] == nil) {
				continue
			}
			_, left, err := remove(tx, p, image, "", byDigest)
			if err != nil {
				return err
			}
			freed, expired = append(freed, left...), expired+1
		}
		next = now.Add(reviewing)
		if expired > 0 {
			next = now.Add(settled) // an index that has gone sets its images free
		}
		rec.Lifecycle.Evaluated = now
		return errors.Join(release(tx, p, freed), repositories.Put(tx, rec, p.key()...))
	})
	if err == nil && expired > 0 {
		s.Log.Info("images have expired", "repository", p.arn(), "images", expired)
	}
	return next, err
}

// restsAt is when the last push to a repository is long enough ago, if none
// follows.
func (s *Service) restsAt(p place, list []*imageRecord) time.Time {
	var last time.Time
	for _, image := range list {
		if image.Pushed.After(last) {
			last = image.Pushed
		}
	}
	s.uploads.mu.Lock()
	defer s.uploads.mu.Unlock()
	for _, u := range s.uploads.open {
		if u.place == p && u.used.After(last) {
			last = u.used
		}
	}
	return last.Add(settled)
}

// shelf is what is in a repository: its images, the oldest push first, and
// their tags.
func shelf(r store.ReadTx, p place) ([]*imageRecord, map[string][]string, error) {
	list, err := all(r, p)
	if err != nil {
		return nil, nil, err
	}
	byDigest, err := tagsOf(r, p)
	return list, byDigest, err
}

// candidates are the images of a repository as a lifecycle policy sees them.
// Those that belong to another image, such as its signature, expire with it.
func candidates(list []*imageRecord, byDigest map[string][]string) []candidate {
	within := map[string]bool{}
	for _, rec := range list {
		if _, m, err := readManifest(rec.Manifest, rec.MediaType); err == nil {
			for _, d := range m.Manifests {
				within[d.Digest] = true
			}
		}
	}
	var out []candidate
	for _, rec := range list {
		if rec.Subject == "" {
			out = append(out, candidate{rec.Digest, slices.Clone(byDigest[rec.Digest]), rec.Pushed, within[rec.Digest]})
		}
	}
	return out
}

// orEpoch is a time as AWS shows it, which has 1970 for never.
func orEpoch(t time.Time) *time.Time {
	if t.IsZero() {
		return wire.Ptr(time.Unix(0, 0).UTC())
	}
	return &t
}

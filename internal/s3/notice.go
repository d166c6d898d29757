package s3

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Notices are stored in the transaction that makes what they tell of true, and
// deleted once they are delivered: so they come at least once, whatever happens
// to the process. They come in no order.

// Targets are what buckets notify.
type Targets interface {
	// Check says in S3's words why a bucket may not notify n's target; "" if it
	// may.
	Check(ctx context.Context, n *Notice) (reason string, err error)
	// Notify delivers n. An AWS error below 500 says that repeating it is of no
	// use.
	Notify(ctx context.Context, n *Notice) error
}

// Notice is what a target is told.
type Notice struct {
	Target     string // ARN; "" is EventBridge's default bus of the bucket's account and region
	BucketARN  string
	Account    string // the bucket's owner
	Region     string // of the bucket
	DetailType string `json:",omitzero"` // of an event for EventBridge, whose detail Body is
	Body       []byte // JSON
	Trace      string `json:",omitzero"` // tracing header of who did it
}

// notice is a Notice on its way.
type notice struct {
	Notice
	ID       string
	Due      time.Time
	Attempts int `json:",omitzero"`
}

var notices = record.New[notice]("s3", "notice") // id

func (n *notice) ticket() due.Ticket {
	return due.Ticket{ID: n.ID, Lane: n.Account + " " + n.Region + " " + n.Target, Due: n.Due}
}

// notice is an empty notice of the bucket for a target.
func (b *bucket) notice(target string) *Notice {
	return &Notice{Target: target, BucketARN: bucketARN(b.Name), Account: b.Account, Region: b.Region}
}

func (s *Service) put(tx store.Tx, n *Notice, at time.Time) (*notice, error) {
	out := &notice{Notice: *n, ID: ident.UUID(), Due: at}
	return out, notices.Put(tx, out, out.ID)
}

// tell stores notices of what happened to an object, for all who are to be
// told. They are to be enqueued once tx is committed.
func (s *Service) tell(ctx context.Context, tx store.Tx, b *bucket, k *kind, o *object) (made []*notice, err error) {
	if b.Notification == nil {
		return nil, nil
	}
	c, now := wire.CallerFrom(ctx), s.Clock.Now()
	add := func(n *Notice) error {
		n.Trace = c.Trace
		stored, err := s.put(tx, n, now)
		made = append(made, stored)
		return err
	}
	for _, l := range listeners(b.Notification) {
		if !l.hears(k.event, o.Key) {
			continue
		}
		n := b.notice(*l.target)
		if n.Body, err = k.document(c, b, o, **l.id, now); err != nil {
			return nil, err
		}
		if err := add(n); err != nil {
			return nil, err
		}
	}
	if b.Notification.EventBridgeConfiguration == nil {
		return made, nil
	}
	n := b.notice("")
	n.DetailType = k.detailType
	if n.Body, err = k.detail(c, b, o); err != nil {
		return nil, err
	}
	return made, add(n)
}

// testEvents stores a test event for each queue and topic.
func (s *Service) testEvents(ctx context.Context, tx store.Tx, b *bucket, all []listener) (made []*notice, err error) {
	c, now, told := wire.CallerFrom(ctx), s.Clock.Now(), map[string]bool{}
	body, err := json.Marshal(&testEvent{
		"Amazon S3", "s3:TestEvent", now.UTC().Format(messageTime), b.Name, c.RequestID, wire.HostID(c.RequestID),
	})
	if err != nil {
		return nil, err
	}
	for _, l := range all {
		if l.service == "lambda" || told[*l.target] {
			continue
		}
		told[*l.target] = true
		n := b.notice(*l.target)
		n.Body = body
		stored, err := s.put(tx, n, now)
		if err != nil {
			return nil, err
		}
		made = append(made, stored)
	}
	return made, nil
}

// enqueue schedules notices whose transaction has ended with err.
func (s *Service) enqueue(err error, made []*notice) {
	if err != nil {
		return
	}
	for _, n := range made {
		s.queue.Add(n.ticket())
	}
}

// resume schedules what an earlier process has left.
func (s *Service) resume(ctx context.Context) error {
	return s.Store.View(ctx, func(r store.ReadTx) error {
		for n, err := range notices.All(r) {
			if err != nil {
				return err
			}
			s.queue.Add(n.ticket())
		}
		return nil
	})
}

// AWS says neither how often S3 tries to deliver a notice nor for how long.
const (
	firstWait   = time.Second
	longestWait = 5 * time.Minute
	maxAttempts = 100 // about eight hours
)

// attempt delivers a notice. It returns when to try again, or the zero time if
// it is done.
func (s *Service) attempt(ctx context.Context, id string) (again time.Time, err error) {
	var n *notice
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		n, err = notices.Get(r, id)
		return err
	})
	if err != nil || n == nil {
		return time.Time{}, err
	}
	failure := s.Targets.Notify(ctx, &n.Notice)
	if ctx.Err() != nil {
		return time.Time{}, ctx.Err() // the next start takes it up
	}
	ctx = context.WithoutCancel(ctx)
	if failure != nil && !wire.Lasting(failure) && n.Attempts < maxAttempts {
		n.Due = s.Clock.Now().Add(min(firstWait<<min(n.Attempts, 20), longestWait))
		n.Attempts++
		return n.Due, s.Store.Update(ctx, func(tx store.Tx) error { return notices.Put(tx, n, n.ID) })
	}
	if failure != nil {
		s.Log.Warn("a notification of a bucket was lost", "bucket", n.BucketARN, "target", n.Target, "error", failure)
	}
	return time.Time{}, s.Store.Update(ctx, func(tx store.Tx) error { return notices.Delete(tx, id) })
}

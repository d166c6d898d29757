package lambda

import (
	"context"
	"sync"

	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/lambda/poll"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/xray"
)

// pollers run the event source mappings that are enabled, by UUID.
type pollers struct {
	mu      sync.Mutex
	running map[string]*poller
	results map[string]string // LastProcessingResult
	closed  bool
}

type poller struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func (p *pollers) result(uuid string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.results[uuid]
}

func (p *pollers) report(uuid, result string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.results == nil {
		p.results = map[string]string{}
	}
	p.results[uuid] = result
}

// start runs a mapping until stop or close. It begins when its predecessor, if
// it has one, has ended: that may still be waiting for a function.
func (p *pollers) start(uuid string, after *poller, run func(context.Context)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.running[uuid] != nil {
		return
	}
	if p.running == nil {
		p.running = map[string]*poller{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	one := &poller{cancel, make(chan struct{})}
	p.running[uuid] = one
	go func() {
		defer close(one.done)
		if after != nil {
			<-after.done
		}
		run(ctx)
	}()
}

// stop tells a mapping's poller to end; it returns nil if there is none.
func (p *pollers) stop(uuid string) *poller {
	p.mu.Lock()
	one := p.running[uuid]
	delete(p.running, uuid)
	p.mu.Unlock()
	if one != nil {
		one.cancel()
	}
	return one
}

// close ends all pollers and waits for them until ctx ends.
func (p *pollers) close(ctx context.Context) {
	p.mu.Lock()
	p.closed = true
	all := p.running
	p.running = nil
	p.mu.Unlock()
	for _, one := range all {
		one.cancel()
	}
	for _, one := range all {
		select {
		case <-one.done:
		case <-ctx.Done():
			return
		}
	}
}

// resumeMappings starts the mappings that are enabled.
func (s *Service) resumeMappings(ctx context.Context) error {
	var all []*mappingRecord
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		all, err = mappings.List(r)
		return err
	})
	for _, m := range all {
		s.restart(ctx, m, false)
	}
	return err
}

// restart brings the poller of a mapping up to its settings.
func (s *Service) restart(ctx context.Context, m *mappingRecord, isNew bool) {
	uuid := m.uuid()
	before := s.pollers.stop(uuid)
	settings, err := compileMapping(m)
	if err != nil {
		s.Log.Error("start event source mapping", "uuid", uuid, "error", err)
		return
	}
	runner := s.runner(m, settings)
	role := func() string { return s.roleOf(settings.FunctionARN) }
	points := mappingPoints{s.Store, uuid}
	isQueue := serviceOf(settings.Source) == sourceQueue
	if isNew && !isQueue {
		if err := runner.Anchor(ctx, s.Sources.Stream(role, settings.Source), points); err != nil {
			s.Log.Warn("anchor event source mapping", "uuid", uuid, "error", err) // the poller tries again
		}
	}
	if *m.Config.State != stateEnabled {
		return
	}
	s.pollers.start(uuid, before, func(ctx context.Context) {
		if isQueue {
			runner.RunQueue(ctx, s.Sources.Queue(role, settings.Source))
		} else {
			runner.RunStream(ctx, s.Sources.Stream(role, settings.Source), points)
		}
	})
}

// roleOf is the role of a function as it is now; "" if it is gone.
func (s *Service) roleOf(functionARN string) string {
	if t := s.Catalog.Resolve(functionARN); t != nil {
		return t.Pick().RoleARN
	}
	return ""
}

func (s *Service) runner(m *mappingRecord, settings poll.Mapping) *poll.Runner {
	uuid, target := m.uuid(), onFailure(m.Config.DestinationConfig)
	return &poll.Runner{
		Mapping: settings, Clock: s.Clock, Log: s.Log,
		Report: func(result string) { s.pollers.report(uuid, result) },
		Invoke: func(ctx context.Context, payload []byte, trace string) (*catalog.Outcome, error) {
			return s.Catalog.Invoke(ctx, &catalog.Call{
				FunctionARN: settings.FunctionARN, Payload: payload, KnownJSON: true, RequestID: ident.UUID(),
				TraceID: xray.Join(trace, s.Clock.Now(), settings.FunctionARN),
			})
		},
		Failed: func(ctx context.Context, shard string, record, payload []byte) error {
			return s.postFailure(ctx, settings.FunctionARN, uuid+"/"+shard, target, record, payload)
		},
	}
}

// postFailure sends the record of a batch that was given up. A target that is
// gone or closed to the role loses it. place is what the keys of objects begin
// with: the mapping's id and the shard.
func (s *Service) postFailure(ctx context.Context, functionARN, place, target string, record, payload []byte) error {
	m := &Message{Target: target, Body: record}
	if serviceOf(target) == "s3" { // buckets get the batch itself too
		m.Body = append(record[:len(record)-1:len(record)-1], `,"payload":`...)
		m.Body = append(append(m.Body, quoted(payload)...), '}')
		m.Key = "aws/lambda/" + place + s.Clock.Now().UTC().Format("/2006/01/02/2006-01-02T15.04.05-") + ident.UUID()
	}
	err := s.Targets.Send(ctx, s.roleOf(functionARN), m)
	if permanent(err) {
		s.Log.Warn("the record of a batch was lost", "function", functionARN, "target", target, "error", err)
		return nil
	}
	return err
}

// mappingPoints keeps a mapping's checkpoints in the store.
type mappingPoints struct {
	store store.Store
	uuid  string
}

var _ poll.Checkpoints = mappingPoints{}

// Load implements poll.Checkpoints.
func (p mappingPoints) Load(ctx context.Context, shard string) (sequence string, err error) {
	err = p.store.View(ctx, func(r store.ReadTx) error {
		c, err := checkpoints.Get(r, p.uuid, shard)
		if c != nil {
			sequence = c.Sequence
		}
		return err
	})
	return sequence, err
}

// Save implements poll.Checkpoints.
func (p mappingPoints) Save(ctx context.Context, shard, sequence string) error {
	return p.store.Update(ctx, func(tx store.Tx) error {
		return checkpoints.Put(tx, &checkpointRecord{sequence}, p.uuid, shard)
	})
}

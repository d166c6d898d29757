package lambda

import (
	"cmp"
	"context"
	"time"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/lambda/poll"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Sources are the queues and streams that event source mappings read, each
// with the function's role, which may change meanwhile.
type Sources interface {
	Queue(role func() string, queueARN string) poll.Queue
	Stream(role func() string, streamARN string) poll.Stream
	// CheckQueue tells whether a queue exists, whether the role may read it,
	// and how long its messages stay invisible.
	CheckQueue(ctx context.Context, role, queueARN string) (exists, may bool, visibility time.Duration)
	CheckStream(ctx context.Context, role, streamARN string) (exists, may bool)
}

// mappingRecord is an event source mapping.
type mappingRecord struct {
	Config  lambdaapi.EventSourceMappingConfiguration
	Account string
	Region  string
	Tags    map[string]string `json:",omitzero"`
}

// checkpointRecord is how far a mapping has read a shard.
type checkpointRecord struct{ Sequence string }

// mappings are found by account, region and UUID, checkpoints by UUID and shard.
var (
	mappings    = record.New[mappingRecord]("lambda", "mapping")
	checkpoints = record.New[checkpointRecord]("lambda", "checkpoint")
)

// States of a mapping. A change is over when its answer leaves, which still
// shows it under way, as AWS's does.
const (
	stateCreating  = "Creating"
	stateEnabling  = "Enabling"
	stateEnabled   = "Enabled"
	stateDisabling = "Disabling"
	stateDisabled  = "Disabled"
	stateUpdating  = "Updating"
	stateDeleting  = "Deleting"
)

const (
	sourceQueue   = "sqs"
	sourceStream  = "dynamodb"
	noneProcessed = "No records processed"
)

func (m *mappingRecord) uuid() string { return *m.Config.UUID }

func (m *mappingRecord) arn() string {
	return "arn:aws:lambda:" + m.Region + ":" + m.Account + ":event-source-mapping:" + m.uuid()
}

func noMapping() error { return missing("The resource you requested does not exist.") }

// CreateEventSourceMapping makes a queue or stream call a function.
func (s *Service) CreateEventSourceMapping(ctx context.Context, in *lambdaapi.CreateEventSourceMappingRequest) (*lambdaapi.EventSourceMappingConfiguration, error) {
	if err := checkPosition(in.StartingPosition); err != nil {
		return nil, err
	}
	kind, err := sourceKind(in.EventSourceArn)
	if err != nil {
		return nil, err
	}
	r, v, err := s.mapped(ctx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	c := wire.CallerFrom(ctx)
	now := s.Clock.Now()
	m := &mappingRecord{Account: c.Account, Region: c.Region, Tags: in.Tags, Config: lambdaapi.EventSourceMappingConfiguration{
		UUID: wire.Ptr(ident.UUID()), EventSourceArn: in.EventSourceArn, FunctionArn: wire.Ptr(r.qualified()), LastModified: &now,
		State: wire.Ptr(stateEnabled), FunctionResponseTypes: append([]string{}, in.FunctionResponseTypes...),
	}}
	m.Config.EventSourceMappingArn = wire.Ptr(m.arn())
	if in.Enabled != nil && !*in.Enabled {
		m.Config.State = wire.Ptr(stateDisabled)
	}
	if err := m.begin(kind, in); err != nil {
		return nil, err
	}
	if err := m.set(kind, creationOf(in)); err != nil {
		return nil, err
	}
	if err := s.checkSource(ctx, kind, m, &v.Config); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		if err := checkDuplicate(tx, kind, m, *in.FunctionName); err != nil {
			return err
		}
		return mappings.Put(tx, m, m.Account, m.Region, m.uuid())
	})
	if err != nil {
		return nil, err
	}
	s.restart(ctx, m, true)
	answer := m.Config
	answer.State = wire.Ptr(stateCreating)
	return &answer, nil
}

// findMapping reads a mapping of the caller's.
func (s *Service) findMapping(ctx context.Context, uuid string) (m *mappingRecord, err error) {
	c := wire.CallerFrom(ctx)
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		m, err = mappings.Get(r, c.Account, c.Region, uuid)
		return err
	})
	if err == nil && m == nil {
		err = noMapping()
	}
	return m, err
}

// shownMapping is a mapping as it is, with the result of its last batch.
func (s *Service) shownMapping(m *mappingRecord) *lambdaapi.EventSourceMappingConfiguration {
	c := m.Config
	if result := s.pollers.result(m.uuid()); result != "" && c.LastProcessingResult != nil {
		c.LastProcessingResult = &result
	}
	return &c
}

// GetEventSourceMapping returns a mapping.
func (s *Service) GetEventSourceMapping(ctx context.Context, in *lambdaapi.GetEventSourceMappingRequest) (*lambdaapi.EventSourceMappingConfiguration, error) {
	m, err := s.findMapping(ctx, *in.UUID)
	if err != nil {
		return nil, err
	}
	return s.shownMapping(m), nil
}

// ListEventSourceMappings lists the caller's mappings, all or those of a
// source or a function.
func (s *Service) ListEventSourceMappings(ctx context.Context, in *lambdaapi.ListEventSourceMappingsRequest) (*lambdaapi.ListEventSourceMappingsResponse, error) {
	c := wire.CallerFrom(ctx)
	wanted := ""
	if in.FunctionName != nil {
		r, err := resolve(ctx, in.FunctionName, nil)
		if err != nil {
			return nil, err
		}
		wanted = r.qualified()
	}
	var found []lambdaapi.EventSourceMappingConfiguration
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		found = nil
		for m, err := range mappings.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			if (in.EventSourceArn == nil || *in.EventSourceArn == *m.Config.EventSourceArn) && (wanted == "" || wanted == *m.Config.FunctionArn) {
				found = append(found, *s.shownMapping(m))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListEventSourceMappingsResponse{}
	out.EventSourceMappings, out.NextMarker, err = page(found, in.Marker, in.MaxItems)
	return out, err
}

// UpdateEventSourceMapping changes those settings of a mapping that the
// request has.
func (s *Service) UpdateEventSourceMapping(ctx context.Context, in *lambdaapi.UpdateEventSourceMappingRequest) (*lambdaapi.EventSourceMappingConfiguration, error) {
	m, err := s.findMapping(ctx, *in.UUID)
	if err != nil {
		return nil, err
	}
	function := m.Config.FunctionArn
	if in.FunctionName != nil {
		function = in.FunctionName
	}
	r, v, err := s.mapped(ctx, function)
	if err != nil && in.FunctionName != nil {
		return nil, err
	}
	if v != nil {
		if err := s.checkMappingTarget(ctx, in.DestinationConfig, &v.Config); err != nil {
			return nil, err
		}
	}
	kind := serviceOf(*m.Config.EventSourceArn)
	now := s.Clock.Now()
	answered := stateUpdating
	c := wire.CallerFrom(ctx)
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		if m, err = mappings.Get(tx, c.Account, c.Region, *in.UUID); err != nil || m == nil {
			return cmp.Or(err, noMapping())
		}
		m.Config.LastModified = &now
		if in.FunctionName != nil {
			m.Config.FunctionArn = wire.Ptr(r.qualified())
		}
		if in.FunctionResponseTypes != nil {
			m.Config.FunctionResponseTypes = append([]string{}, in.FunctionResponseTypes...)
		}
		if in.Enabled != nil {
			was := *m.Config.State
			switch {
			case *in.Enabled && was == stateDisabled:
				m.Config.State, answered = wire.Ptr(stateEnabled), stateEnabling
			case !*in.Enabled && was == stateEnabled:
				m.Config.State, answered = wire.Ptr(stateDisabled), stateDisabling
			}
		}
		if err := m.set(kind, updateOf(in)); err != nil {
			return err
		}
		return mappings.Put(tx, m, m.Account, m.Region, m.uuid())
	})
	if err != nil {
		return nil, err
	}
	s.restart(ctx, m, false)
	answer := *s.shownMapping(m)
	answer.State = &answered
	return &answer, nil
}

// DeleteEventSourceMapping ends a mapping.
func (s *Service) DeleteEventSourceMapping(ctx context.Context, in *lambdaapi.DeleteEventSourceMappingRequest) (*lambdaapi.EventSourceMappingConfiguration, error) {
	m, err := s.findMapping(ctx, *in.UUID)
	if err != nil {
		return nil, err
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		if err := checkpoints.DeleteAll(tx, m.uuid()); err != nil {
			return err
		}
		return mappings.Delete(tx, m.Account, m.Region, m.uuid())
	})
	if err != nil {
		return nil, err
	}
	answer := *s.shownMapping(m)
	answer.State = wire.Ptr(stateDeleting)
	s.pollers.stop(m.uuid())
	return &answer, nil
}

package lambda

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// snapStartRuntimes is what AWS has SnapStart for ("Improving startup
// performance with Lambda SnapStart").
var snapStartRuntimes = []string{
	"java11", "java17", "java21", "java25", "python3.12", "python3.13", "python3.14", "dotnet8", "dotnet10",
}

// largestSnapStartTmp is the size of /tmp, in MB, beyond which AWS makes no
// snapshots.
const largestSnapStartTmp = 512

// snapStarted reports whether published versions of a configuration get
// snapshots.
func snapStarted(c *lambdaapi.FunctionConfiguration) bool {
	return c.SnapStart != nil && wire.Val(c.SnapStart.ApplyOn) == lambdaapi.SnapStartApplyOnPublishedVersions
}

// checkSnapStart checks what a configuration will be against what SnapStart
// allows. AWS's words are known for images and runtimes; the others follow them.
func checkSnapStart(in *settings, c *lambdaapi.FunctionConfiguration) error {
	on := snapStarted(c)
	if in.SnapStart != nil {
		on = wire.Val(in.SnapStart.ApplyOn) == lambdaapi.SnapStartApplyOnPublishedVersions
	}
	if !on {
		return nil
	}
	runtime, tmp := wire.Val(c.Runtime), int64(0)
	if in.Runtime != nil {
		runtime = *in.Runtime
	}
	if c.EphemeralStorage != nil {
		tmp = wire.Val(c.EphemeralStorage.Size)
	}
	if in.EphemeralStorage != nil {
		tmp = wire.Val(in.EphemeralStorage.Size)
	}
	if isImage(c) {
		return notWithSnapStart("ContainerImage")
	}
	if !slices.Contains(snapStartRuntimes, runtime) {
		return notWithSnapStart(runtime)
	}
	if tmp > largestSnapStartTmp {
		return notWithSnapStart("Ephemeral storage larger than 512 MB")
	}
	return nil
}

func notWithSnapStart(what string) error {
	return invalid("%s is not supported for SnapStart enabled functions.", what)
}

// checkNoSnapStart refuses provisioned concurrency for a version with
// SnapStart.
func checkNoSnapStart(tx store.ReadTx, r ref, version string) error {
	v, err := getVersion(tx, r.id, version)
	if err == nil && snapStarted(&v.Config) {
		err = notWithSnapStart("Provisioned Concurrency")
	}
	return err
}

// optimizing gives a version that is being published the state that it has
// until its snapshot is made.
func optimizing(c *lambdaapi.FunctionConfiguration) {
	c.State, c.StateReason, c.StateReasonCode = wire.Ptr(lambdaapi.StatePending), wire.Ptr(reason), wire.Ptr(reasonCode)
	c.LastUpdateStatus = nil
	c.SnapStart = &lambdaapi.SnapStartResponse{ApplyOn: c.SnapStart.ApplyOn, OptimizationStatus: wire.Ptr(lambdaapi.SnapStartOptimizationStatusOn)}
}

// snapshotsAtOnce bounds the init phases that run for snapshots.
const snapshotsAtOnce = 2

// snapshots makes versions' first snapshots in the background.
type snapshots struct {
	ctx   context.Context // ends with the service
	stop  context.CancelFunc
	slots chan struct{}
	work  sync.WaitGroup

	mu       sync.Mutex
	underway map[string]bool // by Spec.ID
}

func newSnapshots() *snapshots {
	ctx, stop := context.WithCancel(context.Background())
	return &snapshots{ctx: ctx, stop: stop, slots: make(chan struct{}, snapshotsAtOnce), underway: map[string]bool{}}
}

// close gives up what is under way; it begins again with the next start.
func (m *snapshots) close() {
	m.stop()
	m.work.Wait()
}

// begin makes a version's snapshot, unless that is under way already, and
// stores the state that the version has then.
func (m *snapshots) begin(s *Service, i id, spec *function.Spec) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.underway[spec.ID] || m.ctx.Err() != nil {
		return
	}
	m.underway[spec.ID] = true
	m.work.Go(func() {
		defer func() {
			m.mu.Lock()
			delete(m.underway, spec.ID)
			m.mu.Unlock()
		}()
		select {
		case m.slots <- struct{}{}:
			defer func() { <-m.slots }()
		case <-m.ctx.Done():
			return
		}
		err := s.Engine.Snapshot(m.ctx, spec)
		if m.ctx.Err() == nil {
			s.optimized(m.ctx, i, spec, err)
		}
	})
}

// optimized stores how the making of a version's snapshot ended.
func (s *Service) optimized(ctx context.Context, i id, spec *function.Spec, failure error) {
	key, ok := versionKeyOf(spec.Version)
	if !ok {
		return
	}
	// Who sees the version's new state may invoke it, so that is published first;
	// for the time of the commit, others' publications wait.
	s.publishing.Lock()
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		v, err := versions.Get(tx, i.key(key)...)
		if err != nil || v == nil || v.SpecID != spec.ID {
			return err // deleted meanwhile
		}
		c := &v.Config
		c.State, c.LastUpdateStatus = wire.Ptr(lambdaapi.StateActive), wire.Ptr(lambdaapi.LastUpdateStatusSuccessful)
		c.StateReason, c.StateReasonCode = nil, nil
		if failure != nil {
			c.State, c.LastUpdateStatus = wire.Ptr(lambdaapi.StateFailed), wire.Ptr(lambdaapi.LastUpdateStatusFailed)
			text, code := blame(failure)
			c.StateReason, c.StateReasonCode = &text, &code
			c.SnapStart = &lambdaapi.SnapStartResponse{ApplyOn: c.SnapStart.ApplyOn, OptimizationStatus: wire.Ptr(lambdaapi.SnapStartOptimizationStatusOff)}
		}
		c.RevisionId = wire.Ptr(ident.UUID())
		if err := versions.Put(tx, v, i.key(key)...); err != nil {
			return err
		}
		f, err := s.compile(tx, i)
		if err == nil && f != nil {
			s.retire(s.Catalog.Put(f))
		}
		return err
	})
	s.publishing.Unlock()
	err = errors.Join(err, s.publish(context.WithoutCancel(ctx), i))
	if err != nil && ctx.Err() == nil {
		s.Log.Error("the state of a version with SnapStart could not be stored", "function", spec.ARN, "version", spec.Version, "reason", err)
	}
}

// blame words why there is no snapshot.
func blame(failure error) (text, code string) {
	e, ok := errors.AsType[*function.InitError](failure)
	switch {
	case !ok:
		return failure.Error(), lambdaapi.StateReasonCodeInternalError
	case e.TimedOut:
		return e.Message, lambdaapi.StateReasonCodeFunctionErrorInitTimeout
	case e.Type == "Extension.TooManyExtensions":
		return e.Message, lambdaapi.StateReasonCodeFunctionErrorTooManyExtensions
	case strings.HasPrefix(e.Type, "Extension."):
		return e.Message, lambdaapi.StateReasonCodeFunctionErrorExtensionInitError
	case strings.HasSuffix(e.Type, "InvalidEntrypoint"):
		return e.Message, lambdaapi.StateReasonCodeFunctionErrorInvalidEntryPoint
	}
	return e.Message, lambdaapi.StateReasonCodeFunctionErrorRuntimeInitError
}

// snapStartRefused is the API's error for a refusal that has to do with
// snapshots, nil for all others.
func snapStartRefused(r *catalog.Refusal) error {
	switch r.Code {
	case "SnapStartException":
		return &lambdaapi.SnapStartException{Type: &user, Message: &r.Message}
	case "SnapStartTimeoutException":
		return &lambdaapi.SnapStartTimeoutException{Type: &user, Message: &r.Message}
	case "SnapStartNotReadyException":
		return &lambdaapi.SnapStartNotReadyException{Type: &user, Message: &r.Message}
	case "ResourceConflictException":
		return &lambdaapi.ResourceConflictException{Type: &user, Message: &r.Message}
	}
	return nil
}

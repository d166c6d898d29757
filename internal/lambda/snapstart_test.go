package lambda_test

import (
	"context"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// awaitState waits until a version has a state other than Pending.
func (h *house) awaitState(t *testing.T, qualifier string) *lambdaapi.FunctionConfiguration {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		c := h.get(t, qualifier)
		if *c.State != lambdaapi.StatePending {
			return c
		}
		if time.Now().After(end) {
			t.Fatalf("version %s stays pending", qualifier)
		}
	}
}

func TestSnapStart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	proceed := make(chan error)
	h.engine.snapshot = func(_ context.Context, spec *function.Spec) error {
		if !spec.SnapStart {
			t.Error("a snapshot of a version without SnapStart")
		}
		return <-proceed
	}
	created := h.create(t, func(in *lambdaapi.CreateFunctionRequest) {
		in.Runtime, in.SnapStart = wire.Ptr("python3.12"), &lambdaapi.SnapStart{ApplyOn: wire.Ptr("PublishedVersions")}
	})
	snapStart := func(c *lambdaapi.FunctionConfiguration, status string) {
		t.Helper()
		if *c.SnapStart.ApplyOn != "PublishedVersions" || *c.SnapStart.OptimizationStatus != status {
			t.Errorf("version %s has %s, want %s", *c.Version, shape(t, c.SnapStart), status)
		}
	}
	snapStart(created, "Off")
	invoke := func(qualifier string) error {
		_, err := h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example"), Qualifier: &qualifier})
		return err
	}
	if err := invoke("$LATEST"); err != nil {
		t.Errorf("$LATEST: %v", err)
	}

	first := h.publish(t)
	snapStart(first, "On")
	if *first.State != "Pending" || *first.StateReasonCode != "Creating" || first.LastUpdateStatus != nil {
		t.Errorf("published: %s", shape(t, first))
	}
	wantError(t, invoke("1"), "SnapStartNotReadyException: Lambda is initializing your function. You can invoke the function when the function state becomes Active.")
	proceed <- nil
	active := h.awaitState(t, "1")
	snapStart(active, "On")
	if *active.State != "Active" || *active.LastUpdateStatus != "Successful" || active.StateReason != nil || *active.RevisionId == *first.RevisionId {
		t.Errorf("with a snapshot: %s", shape(t, active))
	}
	if err := invoke("1"); err != nil {
		t.Errorf("version 1: %v", err)
	}
	_, err := h.PutProvisionedConcurrencyConfig(as(t), &lambdaapi.PutProvisionedConcurrencyConfigRequest{
		FunctionName: wire.Ptr("example"), Qualifier: wire.Ptr("1"), ProvisionedConcurrentExecutions: wire.Ptr(int64(1)),
	})
	wantError(t, err, "InvalidParameterValueException: Provisioned Concurrency is not supported for SnapStart enabled functions.")

	h.updateCode(t, "two")
	h.publish(t)
	proceed <- &function.InitError{Type: "Runtime.ExitError", Message: "Runtime exited with error: exit status 1"}
	failed := h.awaitState(t, "2")
	snapStart(failed, "Off")
	if *failed.State != "Failed" || *failed.StateReasonCode != "FunctionError.RuntimeInitError" || *failed.StateReason != "Runtime exited with error: exit status 1" || *failed.LastUpdateStatus != "Failed" {
		t.Errorf("without a snapshot: %s", shape(t, failed))
	}
	wantError(t, invoke("2"), "ResourceConflictException: The operation cannot be performed at this time. The function is currently in the following state: Failed")

	_, err = h.UpdateFunctionConfiguration(as(t), &lambdaapi.UpdateFunctionConfigurationRequest{FunctionName: wire.Ptr("example"), Runtime: wire.Ptr("python3.11")})
	wantError(t, err, "InvalidParameterValueException: python3.11 is not supported for SnapStart enabled functions.")
	must(h.UpdateFunctionConfiguration(as(t), &lambdaapi.UpdateFunctionConfigurationRequest{
		FunctionName: wire.Ptr("example"), SnapStart: &lambdaapi.SnapStart{ApplyOn: wire.Ptr("None")},
	}))(t)
	if v := h.publish(t); *v.State != "Active" || *v.SnapStart.ApplyOn != "None" {
		t.Errorf("published without SnapStart: %s", shape(t, v))
	}
}

// committed is a store that tells when a transaction is durable, before whoever
// asked for it goes on.
type committed struct {
	store.Store
	tell func()
}

func (c *committed) Update(ctx context.Context, fn func(store.Tx) error) error {
	err := c.Store.Update(ctx, fn)
	c.tell()
	return err
}

// TestActiveMeansInvokable looks at a version the moment that its state can be
// seen.
func TestActiveMeansInvokable(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	active := make(chan error, 1)
	h.store = &committed{h.store, func() {
		c, err := h.GetFunctionConfiguration(as(t), &lambdaapi.GetFunctionConfigurationRequest{FunctionName: wire.Ptr("example"), Qualifier: wire.Ptr("1")})
		if err != nil || *c.State != lambdaapi.StateActive {
			return
		}
		_, err = h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example"), Qualifier: wire.Ptr("1")})
		select {
		case active <- err:
		default:
		}
	}}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.open(t)
	h.create(t, func(in *lambdaapi.CreateFunctionRequest) {
		in.Runtime, in.SnapStart = wire.Ptr("python3.12"), &lambdaapi.SnapStart{ApplyOn: wire.Ptr("PublishedVersions")}
	})
	h.publish(t)
	if err := <-active; err != nil {
		t.Errorf("version 1 is active, but %v", err)
	}
}

// TestSnapshotsAreMadeAfterARestart closes the service while a version waits
// for its snapshot.
func TestSnapshotsAreMadeAfterARestart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	begun := make(chan struct{}, 1)
	h.engine.snapshot = func(ctx context.Context, _ *function.Spec) error {
		begun <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	h.create(t, func(in *lambdaapi.CreateFunctionRequest) {
		in.Runtime, in.SnapStart = wire.Ptr("python3.12"), &lambdaapi.SnapStart{ApplyOn: wire.Ptr("PublishedVersions")}
	})
	h.publish(t)
	<-begun
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.engine.snapshot = nil
	h.open(t)
	if c := h.awaitState(t, "1"); *c.State != lambdaapi.StateActive {
		t.Errorf("version 1 is %s", *c.State)
	}
}

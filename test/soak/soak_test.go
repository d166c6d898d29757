// Package soak loads the real server for a while, with deployments, canaries and
// stage variables changing all the time, and holds every answer against what its
// stage served at that moment.
package soak

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/butai-dev/butai/test/harness"
)

// callers are as many for each stage.
const callers = 4

// TestSoak runs for a few seconds, or for as long as BUTAI_SOAK says
// (make soak: ten minutes).
func TestSoak(t *testing.T) {
	t.Parallel()
	length := 4 * time.Second
	if s := os.Getenv("BUTAI_SOAK"); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	s := harness.Start(t, "--data-dir", t.TempDir(), "--log-level", "info", "--account-throttle", "off")
	w := newWorld(t, s)
	ctx, stop := context.WithTimeout(t.Context(), length)
	defer stop()
	var all sync.WaitGroup
	all.Go(func() { w.keepDeploying(t, ctx) })
	all.Go(func() { w.keepSettingVariables(t, ctx) })
	all.Go(func() { w.keepChangingCanaries(t, ctx) })
	var calls atomic.Int64
	for i := range 2 * callers {
		stage := []string{staging, production}[i%2]
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			for ctx.Err() == nil {
				if err := w.call(client, stage); err != nil {
					t.Error(err)
					stop()
				}
				calls.Add(1)
			}
		})
	}
	warm := time.AfterFunc(length/4, func() { t.Logf("memory after a quarter: %d KiB", residentKB(t, s.PID())) })
	defer warm.Stop()
	all.Wait()
	t.Logf("%d answers right, %d deployments to staging, %d to production, %d changes of variables, %d of the canary, which gave %d answers; memory at the end: %d KiB", calls.Load(),
		w.stages[staging].mark.count(), w.stages[production].mark.count(), w.stages[staging].variable.count(),
		w.stages[production].canary.count(), w.canaries.Load(), residentKB(t, s.PID()))
	if w.stages[production].mark.count() < 2 || calls.Load() < 100 || w.canaries.Load() == 0 {
		t.Error("there was too little to see")
	}
}

// keepDeploying deploys to staging, and each third time to production too.
func (w *world) keepDeploying(t *testing.T, ctx context.Context) {
	for n := 1; ctx.Err() == nil; n++ {
		stages := []string{staging}
		if n%3 == 0 {
			stages = append(stages, production)
		}
		if err := w.deploy(context.WithoutCancel(ctx), n, stages...); err != nil {
			t.Error(err)
			return
		}
	}
}

// keepChangingCanaries gives production a canary of what staging serves, another
// one, and takes it away again.
func (w *world) keepChangingCanaries(t *testing.T, ctx context.Context) {
	for n := 1; ctx.Err() == nil; n++ {
		mark, variable := strconv.Itoa(w.newest()), fmt.Sprintf("canary-%d", n)
		if n%4 == 0 {
			mark, variable = "", ""
		}
		if err := w.setCanary(context.WithoutCancel(ctx), production, mark, variable); err != nil {
			t.Error(err)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (w *world) keepSettingVariables(t *testing.T, ctx context.Context) {
	for n := 1; ctx.Err() == nil; n++ {
		for stage := range w.stages {
			if err := w.setVariable(context.WithoutCancel(ctx), stage, n); err != nil {
				t.Error(err)
				return
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// residentKB is the memory of a process that is in RAM.
func residentKB(t *testing.T, pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Logf("no memory figures here: %v", err)
		return 0
	}
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte("VmRSS:")); ok {
			kb, err := strconv.Atoi(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))))
			if err != nil {
				t.Error(err)
			}
			return kb
		}
	}
	return 0
}

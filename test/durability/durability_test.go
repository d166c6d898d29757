// Package durability kills the real server with SIGKILL in the middle of
// writes and compares what it then remembers with what it had acknowledged.
package durability

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/butai-dev/butai/test/harness"
)

const (
	writers = 8
	// writes are acknowledged before the server is killed, each time.
	writes = 1000
	lives  = 2
)

// TestKilledServerForgetsNothing writes from several clients at once until
// the server is killed, and does it again to what came back.
func TestKilledServerForgetsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := harness.Start(t, "--data-dir", dir)
	w := newWorld(t, clientsOf(s, once))
	workers := make([]*writer, writers)
	for i := range workers {
		workers[i] = newWriter(w, i)
	}
	for life := range lives {
		writeUntilKilled(t, s, workers)
		s = harness.Start(t, "--data-dir", dir)
		w.clients = clientsOf(s, reading)
		for _, wr := range workers {
			wr.check(t)
		}
		checkWhole(t, w, workers)
		if t.Failed() {
			t.Fatalf("after kill %d", life+1)
		}
		w.clients = clientsOf(s, once)
	}
}

// writeUntilKilled lets every writer write, kills the server once enough is
// acknowledged, and returns when every writer has noticed.
func writeUntilKilled(t *testing.T, s *harness.Server, workers []*writer) {
	t.Helper()
	var acknowledged atomic.Int64
	var killed atomic.Bool
	enough := make(chan struct{})
	var done sync.WaitGroup
	for _, wr := range workers {
		done.Go(func() {
			for {
				if err := wr.write(t.Context()); err != nil {
					if !killed.Load() {
						t.Errorf("writer %d, before the kill: %v", wr.id, err)
						acknowledged.Store(writes) // end the test
					}
					break
				}
				if acknowledged.Add(1) == writes {
					close(enough)
				}
			}
		})
	}
	finished := make(chan struct{})
	go func() { done.Wait(); close(finished) }()
	select {
	case <-enough:
	case <-finished: // every writer failed
	}
	killed.Store(true)
	s.Kill()
	<-finished
	t.Logf("%d writes were acknowledged before the kill", acknowledged.Load())
	if t.Failed() {
		t.FailNow()
	}
}

// How often a client tries. A write must not be repeated unnoticed. A long
// answer may have to be: the SDK for Go closes its request's body when the
// answer begins, and where that is before net/http has seen the body's end,
// net/http closes the connection.
const (
	once    = 1
	reading = 5
)

func clientsOf(s *harness.Server, attempts int) clients {
	return newClients(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.URL), RetryMaxAttempts: attempts,
		Credentials: harness.Credentials("000000000000", "butai"),
	})
}

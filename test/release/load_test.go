package release

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/butai-dev/butai/test/harness"
)

// load asks a stage at a steady rate until it is stopped, and counts what
// answered.
type load struct {
	stop   context.CancelFunc
	done   sync.WaitGroup
	mu     sync.Mutex
	counts map[string]int // by pair
	wrong  []string
}

// start sends rate requests a second.
func startLoad(url string, rate int) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop, counts: map[string]int{}}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}, Timeout: 30 * time.Second}
	l.done.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		slots := make(chan struct{}, 32)
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-tick.C:
				slots <- struct{}{}
				l.done.Go(func() {
					defer func() { <-slots }()
					l.note(ask(client, url))
				})
			}
		}
	})
	return l
}

func (l *load) note(a answer, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.wrong = append(l.wrong, err.Error())
	case a.Status != 200, a.Gateway == "" || a.Code == "", a.Gateway[len("gateway-"):] != a.Code[len("code-"):], a.Stage != "production":
		l.wrong = append(l.wrong, fmt.Sprintf("%+v", a))
	default:
		l.counts[a.Gateway]++
	}
}

// ends stops the load and fails the test if any answer was wrong.
func (l *load) ends(t *testing.T) map[string]int {
	t.Helper()
	l.stop()
	l.done.Wait()
	for i, wrong := range l.wrong {
		if i < 5 {
			t.Errorf("an answer under load: %s", wrong)
		}
	}
	total := 0
	for _, n := range l.counts {
		total += n
	}
	t.Logf("%d answers, %d wrong, by gateway: %v", total, len(l.wrong), l.counts)
	return l.counts
}

// TestNoMixedPair promotes and rolls back under load: no answer is an error,
// and none comes from a gateway and a code that don't belong together.
func TestNoMixedPair(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	w.does(0, "init")
	w.configure(map[string]string{"propagation: 1s": "propagation: 500ms"})
	rounds, rate := 2, 100
	if full() {
		rounds, rate = 25, 200
	}
	l := startLoad(w.stageURL("production")+"/pair", rate)
	for round := range rounds {
		generation := fmt.Sprint(round + 2)
		w.editGateway("gateway-" + generation)
		w.editCode("code-"+generation, nil)
		w.does(0, "deploy", "staging")
		w.does(0, "promote", "--strategy", strategies[round%len(strategies)])
		w.serves("production", "gateway-"+generation, "code-"+generation)
		if round%2 == 0 {
			w.does(0, "rollback", "production")
			w.does(0, "promote", "--strategy", "all")
		}
	}
	counts := l.ends(t)
	if t.Failed() {
		out, errText, _ := s.Try("", "aws", "logs", "filter-log-events", "--log-group-name", "/aws/lambda/"+function,
			"--filter-pattern", "-START -END -REPORT", "--query", "events[-20:].message", "--output", "text")
		t.Logf("what the function logged last: %s%s", out, errText)
	}
	if len(counts) < rounds+1 {
		t.Errorf("only these generations answered: %v", counts)
	}
}

// strategies are those that the load test goes through.
var strategies = []string{"canary 50% for 1s", "all", "linear 30% every 1s"}

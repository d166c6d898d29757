package release

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/butai-dev/butai/test/harness"
)

// load asks a stage at a steady rate until it is stopped, and keeps what
// answered. It is open-loop: requests leave when it is their time, however
// long those before them take.
type load struct {
	stop   context.CancelFunc
	done   sync.WaitGroup
	began  time.Time
	asking time.Duration // how long requests left

	mu      sync.Mutex
	answers []answered
	wrong   []string
	slowest time.Duration
}

// answered is a request that was answered well.
type answered struct {
	sent    time.Time
	gateway string
}

// startLoad sends rate requests a second.
func startLoad(url string, rate int) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop, began: time.Now()}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}, Timeout: 30 * time.Second}
	l.done.Go(func() {
		defer func() { l.asking = time.Since(l.began) }()
		for n := 1; ; n++ {
			due := l.began.Add(time.Duration(n) * time.Second / time.Duration(rate))
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(due)):
			}
			l.done.Go(func() {
				sent := time.Now()
				a, err := ask(client, url)
				l.note(sent, due, a, err)
			})
		}
	})
	return l
}

func (l *load) note(sent, due time.Time, a answer, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slowest = max(l.slowest, time.Since(due))
	switch {
	case err != nil:
		l.wrong = append(l.wrong, err.Error())
	case a.Status != 200, a.Gateway == "" || a.Code == "", a.Gateway[len("gateway-"):] != a.Code[len("code-"):], a.Stage != "production":
		l.wrong = append(l.wrong, fmt.Sprintf("%+v", a))
	default:
		l.answers = append(l.answers, answered{sent, a.Gateway})
	}
}

// share counts the answers to what was sent in a time, and how many of them a
// generation of the gateway gave.
func (l *load) share(from, to time.Time, gateway string) (of, all int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.answers {
		if a.sent.Before(from) || !a.sent.Before(to) {
			continue
		}
		all++
		if a.gateway == gateway {
			of++
		}
	}
	return of, all
}

// ends stops the load and fails the test if any answer was wrong, or if the
// rate wasn't held where a proof is asked for.
func (l *load) ends(t *testing.T, rate int) (byGateway map[string]int) {
	t.Helper()
	l.stop()
	l.done.Wait()
	for i, wrong := range l.wrong {
		if i < 5 {
			t.Errorf("an answer under load: %s", wrong)
		}
	}
	byGateway = map[string]int{}
	for _, a := range l.answers {
		byGateway[a.gateway]++
	}
	held := float64(len(l.answers)+len(l.wrong)) / l.asking.Seconds()
	t.Logf("%d answers in %s, %.1f a second, %d wrong, the slowest took %s; by gateway: %v",
		len(l.answers), l.asking.Round(time.Second), held, len(l.wrong), l.slowest.Round(time.Millisecond), byGateway)
	if full() && held < 0.99*float64(rate) {
		t.Errorf("%.1f requests a second were sent, want %d", held, rate)
	}
	return byGateway
}

// TestNoMixedPair promotes and rolls back under load by every strategy: no
// answer is an error, none comes from a gateway and a code that don't belong
// together, and shares are what they should be.
func TestNoMixedPair(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	w.does(0, "init")
	w.configure(map[string]string{"propagation: 1s": "propagation: 500ms", "checks:": "gates: {every: 500ms}\nchecks:"})
	rounds, rate := 2, 100
	if full() {
		rounds, rate = 25, 200
	}
	w.does(0, "deploy", "staging")
	w.does(0, "promote") // every strategy can go back to what releases made
	l := startLoad(w.stageURL("production")+"/pair", rate)
	for round := range rounds {
		generation := fmt.Sprint(round + 2)
		w.editGateway("gateway-" + generation)
		w.editCode("code-"+generation, nil)
		w.does(0, "deploy", "staging")
		w.moves(l, strategies[round%len(strategies)], "gateway-"+generation, "promote")
		w.serves("production", "gateway-"+generation, "code-"+generation)
		w.moves(l, strategies[(round+1)%len(strategies)], "", "rollback", "--no-diff")
		if round%3 == 2 { // the next round goes from here
			w.moves(l, "all", "", "promote")
		}
	}
	counts := l.ends(t, rate)
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
var strategies = []string{"canary 30% for 3s", "dark", "all", "linear 40% every 1s"}

// moves carries out a release under load. Where it shares requests with a new
// generation of the gateway, the share is counted meanwhile.
func (w *world) moves(l *load, strategy, gateway string, args ...string) {
	w.Helper()
	args = append(args, "--strategy", strategy)
	switch {
	case strategy == "dark":
		w.does(4, args...)
		w.does(0, "resume")
	case strings.HasPrefix(strategy, "canary 30%") && gateway != "":
		ended := w.background(args...)
		w.shifting(30)
		from := time.Now()
		time.Sleep(1500 * time.Millisecond)
		w.shifting(30)
		to := time.Now()
		if code := ended(); code != 0 {
			w.Fatalf("butai release %v ended with %d", args, code)
		}
		const want = 0.3
		of, all := l.share(from, to, gateway)
		if bound := 5 * math.Sqrt(float64(all)*want*(1-want)); math.Abs(float64(of)-float64(all)*want) > bound {
			w.Errorf("%d of %d answers were new, want %.0f ± %.0f", of, all, float64(all)*want, bound)
		}
	default:
		w.does(0, args...)
	}
}

package release

import (
	"fmt"

	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
)

// Compare judges new numbers by old ones. With too few requests on either
// side it says neither yes nor no.
func Compare(m *config.Metrics, before, after *Numbers) plan.Result {
	detail := fmt.Sprintf("old %s, new %s", before, after)
	least := float64(m.MinimumRequests)
	if before.Requests < least || after.Requests < least {
		return plan.Result{Verdict: plan.Inconclusive, Detail: fmt.Sprintf("%s; fewer than %d requests", detail, m.MinimumRequests)}
	}
	const percent = 100
	if worse := (after.Rate() - before.Rate()) * percent; worse > m.ErrorRate {
		return plan.Result{Verdict: plan.Failed, Detail: fmt.Sprintf("%s: %.2f points more errors, allowed are %g", detail, worse, m.ErrorRate)}
	}
	if before.P99 > 0 && after.P99 > before.P99*m.Latency {
		return plan.Result{Verdict: plan.Failed, Detail: fmt.Sprintf("%s: p99 is %.2f times the old, allowed is %g", detail, after.P99/before.P99, m.Latency)}
	}
	return plan.Result{Verdict: plan.Passed, Detail: detail}
}

// Rate is the share of the requests that failed.
func (n *Numbers) Rate() float64 {
	if n.Requests == 0 {
		return 0
	}
	return n.Errors / n.Requests
}

// String is the numbers in a few words.
func (n *Numbers) String() string {
	return fmt.Sprintf("%.0f requests, %.2f%% errors, p99 %.0f ms", n.Requests, n.Rate()*100, n.P99)
}

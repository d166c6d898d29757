package lambda_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/function"
)

// TestRecordedCalls are the answers to Invoke: what has an executed version,
// a body and headers (test_invocation_type_*, test_lambda_concurrency_block).
func TestRecordedCalls(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.furnish(t)
	const call = "POST 2015-03-31/functions/"
	for _, row := range []struct {
		fact, call string
		sent       http.Header
		want       string // status, body and headers of Lambda's own
	}{
		{"call", call + "example/invocations", nil, `200 "$LATEST" X-Amz-Executed-Version=$LATEST`},
		{"call of an alias", call + "example:live/invocations", nil, `200 "1" X-Amz-Executed-Version=1`},
		{"call with log", call + "example/invocations", http.Header{"X-Amz-Log-Type": {"Tail"}}, `200 "$LATEST" X-Amz-Executed-Version=$LATEST X-Amz-Log-Result=U1RBUlQK`},
		{"event", call + "example/invocations", http.Header{"X-Amz-Invocation-Type": {"Event"}}, "202 "},
		{"dry run", call + "example/invocations", http.Header{"X-Amz-Invocation-Type": {"DryRun"}}, "204 "},
	} {
		w := f.send(row.call, "{}", row.sent)
		got := fmt.Sprint(w.Code, " ", w.Body)
		for _, name := range slices.Sorted(maps.Keys(w.Header())) {
			if strings.HasPrefix(name, "X-Amz-") {
				got += " " + name + "=" + w.Header()[name][0]
			}
		}
		if got != row.want {
			t.Errorf("%s: got %s, want %s", row.fact, got, row.want)
		}
	}
	f.engine.answer = func(*function.Spec, *function.Request) (*function.Result, error) {
		return nil, &function.ThrottledError{Reason: "ReservedFunctionConcurrentInvocationLimitExceeded"}
	}
	const want = `429 TooManyRequestsException {"Type":"User","message":"Rate Exceeded.","Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"}`
	if got := f.ask(call+"example/invocations", "{}"); got != want {
		t.Errorf("throttled: got %s, want %s", got, want)
	}
}

// TestAMappingOutlivesItsFunction: it stays as it was (recorded).
func TestAMappingOutlivesItsFunction(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.create(t)
	made := f.ask("POST 2015-03-31/event-source-mappings", `{"FunctionName":"example","EventSourceArn":"`+workQueue+`","Enabled":false}`)
	uuid := made[strings.Index(made, `"UUID":"`)+len(`"UUID":"`):][:36]
	f.check(t, []recorded{
		{"the function goes", "DELETE 2015-03-31/functions/example", "", "204"},
		{"the mapping stays", "GET 2015-03-31/event-source-mappings/" + uuid, "", "200 *"},
		{"and can be deleted", "DELETE 2015-03-31/event-source-mappings/" + uuid, "", "202 *"},
		{"and is gone", "GET 2015-03-31/event-source-mappings/" + uuid, "", notFound(gone)},
	})
}

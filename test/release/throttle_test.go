package release

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// refusal is how an AWS API says "later".
type refusal struct {
	status        int
	name, message string
}

// refusals are those of each API that a release changes something of: one
// change too many, or another that is being made.
var refusals = map[string][]refusal{
	"API Gateway": {
		{http.StatusTooManyRequests, "TooManyRequestsException", "Too Many Requests"},
		{http.StatusConflict, "ConflictException", "Unable to complete operation due to concurrent modification. Please try again later."},
	},
	"Lambda": {
		{http.StatusTooManyRequests, "TooManyRequestsException", "Rate exceeded"},
		{http.StatusConflict, "ResourceConflictException", "The operation cannot be performed at this time. An update is in progress for resource: x"},
	},
	"DynamoDB": {
		{http.StatusBadRequest, "ThrottlingException", "Rate of requests exceeds the allowed throughput."},
		{http.StatusBadRequest, "ProvisionedThroughputExceededException", "The level of configured provisioned throughput was exceeded."},
	},
}

// changed names the API of which a call changes something.
func changed(r *http.Request) string {
	switch {
	case !changes(r):
	case strings.HasPrefix(r.URL.Path, "/restapis/"):
		return "API Gateway"
	case strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/"):
		return "Lambda"
	case strings.HasPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB"):
		return "DynamoDB"
	}
	return ""
}

// TestThrottled: each API refuses every third change for being one too many,
// or at the wrong time; a release takes longer, and that is all.
func TestThrottled(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	target, err := url.Parse(s.URL)
	w.must(err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	var mu sync.Mutex
	seen, refused := map[string]int{}, map[string]int{}
	front := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		api := changed(r)
		mu.Lock()
		seen[api]++
		refuse := api != "" && seen[api]%3 == 1
		var no refusal
		if refuse {
			no = refusals[api][refused[api]%2]
			refused[api]++
		}
		mu.Unlock()
		if !refuse {
			proxy.ServeHTTP(out, r)
			return
		}
		out.Header().Set("X-Amzn-Errortype", no.name)
		out.WriteHeader(no.status)
		_, _ = io.WriteString(out, fmt.Sprintf(`{"__type": %q, "message": %q}`, no.name, no.message))
	}))
	defer front.Close()
	for i, pair := range w.env {
		if strings.HasPrefix(pair, "AWS_ENDPOINT_URL=") {
			w.env[i] = "AWS_ENDPOINT_URL=" + front.URL
		}
	}
	w.does(0, "init")
	w.configure(map[string]string{"propagation: 1s": "propagation: 10ms"})
	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.does(0, "promote")
	w.serves("production", "gateway-2", "code-2")
	for api := range refusals {
		if refused[api] < 2 {
			t.Errorf("%s refused %d of %d changes, want each refusal", api, refused[api], seen[api])
		}
	}
}

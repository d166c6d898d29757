package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// pieces is a Functions that streams a text after each pause, until nobody
// waits any more: the context is over, or the deadline has passed.
type pieces struct {
	text   string
	pauses []time.Duration
}

func (p pieces) InvokeFunction(ctx context.Context, call *FunctionCall) (*FunctionResult, error) {
	ctx, cancel := context.WithDeadline(ctx, call.Deadline)
	defer cancel()
	for i, pause := range p.pauses {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		text := p.text
		if i == 0 {
			text = "{}" + nulls + text
		}
		if _, err := io.WriteString(call.Stream, text); err != nil {
			return nil, err
		}
	}
	return &FunctionResult{Status: 200, RequestID: "lambda-request"}, nil
}

// TestStreamTimes has how long streams may be silent, by the kind of endpoint,
// how long they may last and how fast they are (developer guide, "Stream the
// integration response for your proxy integrations in API Gateway").
func TestStreamTimes(t *testing.T) {
	t.Parallel()
	const s, m = time.Second, time.Minute
	every := func(pause time.Duration, n int) (out []time.Duration) {
		for range n {
			out = append(out, pause)
		}
		return out
	}
	megabyte := strings.Repeat("x", 1<<20)
	for _, tt := range []struct {
		name, endpoint string
		limit          time.Duration // timeoutInMillis
		pieces         pieces
		want           string // status and how many pieces come
		after          time.Duration
	}{
		{"silent for less than an edge waits", "EDGE", 15 * m, pieces{"a", []time.Duration{29 * s, 29 * s, 29 * s}}, "200 3", 87 * s},
		{"silent for longer", "EDGE", 15 * m, pieces{"a", []time.Duration{s, 31 * s}}, "200 1 cut off", 31 * s},
		{"silent from the beginning", "EDGE", 15 * m, pieces{"a", []time.Duration{31 * s}}, "504 0", 30 * s},
		{"silent for less than a region waits", "REGIONAL", 15 * m, pieces{"a", []time.Duration{299 * s, 299 * s}}, "200 2", 598 * s},
		{"silent for longer", "REGIONAL", 15 * m, pieces{"a", []time.Duration{s, 301 * s}}, "200 1 cut off", 301 * s},
		{"silent behind an endpoint", "PRIVATE", 15 * m, pieces{"a", []time.Duration{s, 301 * s}}, "200 1 cut off", 301 * s},
		{"of less than a quarter of an hour", "REGIONAL", 15 * m, pieces{"a", every(m-s, 15)}, "200 15", 885 * s},
		{"of more", "REGIONAL", 15 * m, pieces{"a", every(m, 20)}, "200 15 cut off", 900 * s},
		{"of more than the integration's time", "REGIONAL", 10 * s, pieces{"a", every(4*s, 20)}, "200 2 cut off", 10 * s},
		{"at full speed", "REGIONAL", 15 * m, pieces{megabyte, every(0, 9)}, "200 9", 0},
		{"slowed down behind 10 MB", "REGIONAL", 15 * m, pieces{megabyte, every(0, 14)}, "200 14", 2 * s},
	} {
		t.Run(tt.endpoint+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				method := streamMethod()
				method.MethodIntegration.TimeoutInMillis = wire.Ptr(tt.limit.Milliseconds())
				st := api{"GET /": method}.stage("s", nil)
				st.Deployment.API.EndpointConfiguration = &apigatewayapi.EndpointConfiguration{Types: []string{tt.endpoint}}
				f := newFixture(t, nil, st)
				f.functions = tt.pieces
				begun, w := time.Now(), httptest.NewRecorder()
				got := ""
				func() {
					defer func() { // net/http takes a panic for the end of the connection
						if recover() != nil {
							got = " cut off"
						}
					}()
					f.ServeAPI(w, httptest.NewRequest("GET", "/s", nil), testAPI, "", "/s")
				}()
				got = fmt.Sprint(w.Code, " ", strings.Count(w.Body.String(), tt.pieces.text[:1])/len(tt.pieces.text), got)
				if w.Code != 200 {
					got = fmt.Sprint(w.Code, " 0")
				}
				// What the metadata adds to the bytes slows a stream by microseconds.
				if took := time.Since(begun).Round(10 * time.Millisecond); got != tt.want || took != tt.after {
					t.Errorf("got %s after %s, want %s after %s", got, took, tt.want, tt.after)
				}
			})
		})
	}
}

package telemetry

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// told is an event as a subscriber gets it.
type told struct {
	Time, Type string
	Record     json.RawMessage
}

// audience is a subscriber's server; answer decides what it says to a batch.
func audience(t *testing.T, answer func(batch []told) int) (dial Dial, batches <-chan []told) {
	t.Helper()
	got := make(chan []told, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var batch []told
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
			t.Error(err)
		}
		status := answer(batch)
		w.WriteHeader(status)
		if status == http.StatusOK {
			got <- batch
		}
	}))
	t.Cleanup(server.Close)
	return func(ctx context.Context, port int) (net.Conn, error) {
		if port != 8080 {
			return nil, fmt.Errorf("port %d", port)
		}
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}, got
}

func hub(t *testing.T, dial Dial) *Hub {
	t.Helper()
	now := func() time.Time { return time.Date(2022, 10, 12, 0, 0, 15, 64e6, time.UTC) }
	h := NewHub(dial, func(*Subscription) {}, now, false)
	t.Cleanup(h.Close)
	return h
}

func subscribe(t *testing.T, h *Hub, buffering string) {
	t.Helper()
	body := `{"schemaVersion":"2022-12-13","types":["platform","function"],"buffering":` + buffering + `,"destination":{"protocol":"HTTP","URI":"http://sandbox:8080"}}`
	if err := h.Subscribe("extension", Telemetry, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

func always([]told) int { return http.StatusOK }

// TestBatches: a batch goes out when it has enough events, or bytes, without
// waiting for its time.
func TestBatches(t *testing.T) {
	t.Parallel()
	dial, batches := audience(t, always)
	h := hub(t, dial)
	subscribe(t, h, `{"timeoutMs":30000,"maxItems":1000,"maxBytes":262144}`)
	for n := range 1000 {
		h.Line(h.now(), Function, fmt.Sprint(n))
	}
	if batch := <-batches; len(batch) != 1000 || string(batch[999].Record) != `"999"` || batch[0].Time != "2022-10-12T00:00:15.064Z" || batch[0].Type != "function" {
		t.Errorf("%d events, the last of them %v", len(batch), batch[len(batch)-1])
	}
	h.Flush(time.Minute) // while a batch is on its way, what doesn't fit the next one is dropped
	for range 3 {
		h.Line(h.now(), Function, strings.Repeat("x", 100<<10))
	}
	if batch := <-batches; len(batch) != 3 {
		t.Errorf("a batch of %d events of 100 KB each", len(batch))
	}
	h.Line(h.now(), Function, "alone")
	h.Flush(time.Minute)
	if batch := <-batches; len(batch) != 1 {
		t.Errorf("a batch of %d events after a flush", len(batch))
	}
}

// TestEarlyEvents go to those who subscribe late, unless the init phase is over.
func TestEarlyEvents(t *testing.T) {
	t.Parallel()
	dial, batches := audience(t, always)
	h := hub(t, dial)
	h.Emit(h.now(), "platform.initStart", struct{}{})
	h.Line(h.now(), Extension, "not asked for")
	subscribe(t, h, `{"timeoutMs":25}`)
	h.CloseSubscriptions()
	h.Emit(h.now(), TypeEnd, struct{}{}) // of the Logs API
	h.Line(h.now(), Function, "one")
	var types []string
	for len(types) < 2 {
		for _, e := range <-batches {
			types = append(types, e.Type)
		}
	}
	if got := strings.Join(types, " "); got != "platform.initStart function" {
		t.Errorf("got %s", got)
	}
	err := h.Subscribe("another", Logs, []byte(`{"types":["platform"],"destination":{"protocol":"TCP","port":1}}`))
	if want := (Refusal{http.StatusForbidden, "Logs.SubscriptionClosed", "Logs API subscription is closed"}); err == nil || *err.(*Refusal) != want {
		t.Errorf("subscribing too late: %v", err)
	}
}

// TestDeliveryIsRetried until the subscriber takes the batch, which then is all
// that it gets.
func TestDeliveryIsRetried(t *testing.T) {
	t.Parallel()
	var attempts atomic.Int64
	dial, batches := audience(t, func([]told) int {
		if attempts.Add(1) < 3 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	var refused atomic.Bool
	h := hub(t, func(ctx context.Context, port int) (net.Conn, error) {
		if !refused.Swap(true) {
			return nil, net.ErrClosed
		}
		return dial(ctx, port)
	})
	subscribe(t, h, `{"timeoutMs":25}`)
	h.Line(h.now(), Function, "one")
	if batch := <-batches; len(batch) != 1 || attempts.Load() != 3 {
		t.Errorf("%d events at attempt %d", len(batch), attempts.Load())
	}
	h.Flush(time.Minute)
	if len(batches) != 0 {
		t.Error("it came twice")
	}
}

// TestDropped: who is too slow is told what was dropped meanwhile.
func TestDropped(t *testing.T) {
	t.Parallel()
	began, goOn := make(chan bool, 10), make(chan bool)
	dial, batches := audience(t, func([]told) int {
		began <- true
		<-goOn
		return http.StatusOK
	})
	h := hub(t, dial)
	subscribe(t, h, `{"timeoutMs":25,"maxItems":1000}`)
	h.Line(h.now(), Function, "first")
	<-began
	for range 1003 {
		h.Line(h.now(), Function, "more")
	}
	close(goOn)
	size := len(newEvent(h.now(), Function, "more").text)
	want := fmt.Sprintf(`{"droppedBytes":%d,"droppedRecords":3,"reason":"Some logs were dropped because the downstream consumer is slower than the logs production rate"}`, 3*size)
	lines := 0
	for batch := range batches {
		for _, e := range batch {
			if e.Type == Function {
				lines++
				continue
			}
			if e.Type != "platform.logsDropped" || string(e.Record) != want {
				t.Errorf("%s %s, want %s", e.Type, e.Record, want)
			}
			if lines != 1001 {
				t.Errorf("%d lines before that", lines)
			}
			return
		}
	}
}

// TestHeldBack: nothing is delivered between Hold and Resume.
func TestHeldBack(t *testing.T) {
	t.Parallel()
	dial, batches := audience(t, always)
	h := hub(t, dial)
	subscribe(t, h, `{"timeoutMs":25}`)
	h.Hold()
	h.Line(h.now(), Function, "one")
	h.Flush(100 * time.Millisecond)
	if len(batches) != 0 {
		t.Error("it came all the same")
	}
	h.Resume()
	if batch := <-batches; len(batch) != 1 {
		t.Errorf("%d events afterwards", len(batch))
	}
}

// TestLines are what TCP gets, over a connection that is opened anew when it
// breaks.
func TestLines(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := hub(t, func(ctx context.Context, port int) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	})
	if err := h.Subscribe("extension", Logs, []byte(`{"types":["function"],"buffering":{"timeoutMs":25},"destination":{"protocol":"TCP","port":99}}`)); err != nil {
		t.Fatal(err)
	}
	h.Line(h.now(), Function, "one\n")
	h.Line(h.now(), Function, `{"two":2}`)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	lines := bufio.NewScanner(c)
	for _, want := range []string{`{"time":"2022-10-12T00:00:15.064Z","type":"function","record":"one\n"}`, `{"time":"2022-10-12T00:00:15.064Z","type":"function","record":"{\"two\":2}"}`} {
		if !lines.Scan() || lines.Text() != want {
			t.Errorf("got %s, want %s", lines.Text(), want)
		}
	}
}

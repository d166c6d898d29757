package function

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/ident"
)

const benchHandler = "def handler(event, context):\n    return {'id': event['id'], 'name': 'someone'}\n"

var benchEvent = []byte(`{"id": "1234", "stage": "prod", "params": {"a": "b"}}`)

// BenchmarkInvoke measures warm calls of a trivial Python handler through the
// engine; BenchmarkFloor is what the same interpreter does without it.
func BenchmarkInvoke(b *testing.B) {
	for _, c := range []int{1, 16, 64} {
		b.Run("c="+strconv.Itoa(c), func(b *testing.B) {
			r := newRig(b, func(c *Config) { c.Logs = discardSink{} })
			spec := r.python(b, benchHandler)
			r.call(b, spec, string(benchEvent))
			benchmarkCalls(b, c, func() error {
				res, err := r.Invoke(b.Context(), spec, &Request{RequestID: ident.UUID(), InvokedARN: spec.ARN, Payload: benchEvent})
				if err == nil && res.FunctionError != "" {
					b.Errorf("%s", res.Payload)
				}
				return err
			})
			r.mu.Lock()
			b.ReportMetric(float64(r.live), "sandboxes")
			r.mu.Unlock()
		})
	}
}

type discardSink struct{}

func (discardSink) Put(string, string, string, string, []LogEvent) {}

// floorLoop is the least a Python process can do per call: read a frame, parse
// it, call the handler, write the answer.
const floorLoop = `
import json, os, struct
` + benchHandler + `
while True:
    data = os.read(3, 65536)
    if not data: break
    body = json.dumps(handler(json.loads(data[4:]), None)).encode()
    os.write(3, struct.pack(">I", len(body)) + body)
`

// BenchmarkFloor runs one bare loop per caller, at most one per core.
func BenchmarkFloor(b *testing.B) {
	for _, c := range []int{1, 16} {
		b.Run("c="+strconv.Itoa(c), func(b *testing.B) {
			loops := make(chan *os.File, c)
			for range min(c, runtime.GOMAXPROCS(0)) {
				loops <- startFloor(b)
			}
			benchmarkCalls(b, c, func() error {
				conn := <-loops
				defer func() { loops <- conn }()
				frame := binary.BigEndian.AppendUint32(make([]byte, 0, 64), uint32(len(benchEvent)))
				if _, err := conn.Write(append(frame, benchEvent...)); err != nil {
					return err
				}
				answer := make([]byte, 4096)
				n, err := conn.Read(answer)
				if err == nil && n < 5 {
					err = io.ErrUnexpectedEOF
				}
				return err
			})
		})
	}
}

func startFloor(b *testing.B) *os.File {
	set := newRig(b, nil).cfg.Runtimes
	python, err := set.Lookup(b.Context(), "python3.11")
	if err != nil {
		b.Skip(err)
	}
	ours, theirs, err := socketPair(syscall.SOCK_STREAM)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(python.Path, "-S", "-c", floorLoop)
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	theirs.Close()
	b.Cleanup(func() {
		ours.Close()
		cmd.Wait()
	})
	return ours
}

// benchmarkCalls runs b.N calls from c callers and reports medians too: one
// mean hides what the machine's other work does to it.
func benchmarkCalls(b *testing.B, c int, call func() error, between ...func()) {
	times := make([][]time.Duration, c)
	var wg sync.WaitGroup
	b.ResetTimer()
	start := time.Now()
	for n := range c {
		wg.Go(func() {
			for k := n; k < b.N; k += c {
				begin := time.Now()
				if err := call(); err != nil {
					b.Error(err)
					return
				}
				times[n] = append(times[n], time.Since(begin))
				for _, rest := range between {
					rest()
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	b.StopTimer()
	all := slices.Concat(times...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/took.Seconds(), "calls/s")
	b.ReportMetric(float64(all[len(all)/2])/1e3, "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100])/1e3, "p99-µs")
}

// BenchmarkColdStart measures first calls: sandbox, interpreter, handler,
// answer; from spares and without.
func BenchmarkColdStart(b *testing.B) {
	handlers := map[string]map[string]string{
		"python3.11":       {"main.py": benchHandler},
		"python3.11 boto3": {"main.py": "import boto3\n" + benchHandler},
		"nodejs20.x":       {"main.js": "exports.handler = async (e) => ({ id: e.id });"},
	}
	for name, files := range handlers {
		runtime, _, _ := strings.Cut(name, " ")
		for _, spares := range []int{DefaultSpares, NoSpares} {
			b.Run(fmt.Sprintf("%s/spares=%d", name, max(spares, 0)), func(b *testing.B) {
				r := newRig(b, func(c *Config) { c.Logs, c.Spares = discardSink{}, spares })
				spec := r.function(b, runtime, "main.handler", files)
				r.awaitSpares(b, spec)
				benchmarkCalls(b, 1, func() error {
					_, err := r.Invoke(b.Context(), spec, &Request{RequestID: ident.UUID(), Payload: benchEvent})
					return err
				}, func() {
					r.Retire(spec.ID)
					r.awaitSpares(b, spec)
				})
			})
		}
	}
}

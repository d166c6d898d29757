package bootstrap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// script is a transport that answers with prepared bytes, a few at a time.
type script struct {
	in      io.Reader
	step    int // most bytes per read
	written bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p[:min(len(p), s.step)]) }
func (s *script) Write(p []byte) (int, error) { return s.written.Write(p) }

func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

func frame(kind Kind, body string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)+1))) + string(rune(kind)) + body
}

func TestReceive(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	tests := []struct {
		name, bytes string
		want        Frame
		err         error
	}{
		{"ready", frame(Ready, ""), Frame{Kind: Ready}, nil},
		{"response", frame(Response, `{"a":1}`), Frame{Kind: Response, Body: []byte(`{"a":1}`)}, nil},
		{"long response", frame(Response, long), Frame{Kind: Response, Body: []byte(long)}, nil},
		{"oversize", frame(Response, long+"x"), Frame{Kind: Response, Oversize: 100_001}, nil},
		{"failure", frame(Failure, "\x00\x04Oops{}"), Frame{Kind: Failure, ErrorType: "Oops", Body: []byte("{}")}, nil},
		{"failure without type", frame(Fatal, "\x00\x00{}"), Frame{Kind: Fatal, Body: []byte("{}")}, nil},
		{"end", "", Frame{}, io.EOF},
		{"cut head", "\x00\x00", Frame{}, io.EOF},
		{"cut body", frame(Response, "abc")[:6], Frame{}, io.EOF},
		{"no kind", "\x00\x00\x00\x00x", Frame{}, ErrProtocol},
		{"unknown kind", frame('Z', "x"), Frame{}, ErrProtocol},
		{"invoke from the wrong side", frame(Invoke, "x"), Frame{}, ErrProtocol},
		{"huge", "\xff\xff\xff\xffRx", Frame{}, ErrProtocol},
		{"two frames", frame(Ready, "") + frame(Ready, ""), Frame{}, ErrProtocol},
		{"short error", frame(Failure, "\x00"), Frame{}, ErrProtocol},
		{"error type beyond the end", frame(Failure, "\x00\x09Oops"), Frame{}, ErrProtocol},
	}
	for _, tt := range tests {
		for _, step := range []int{1 << 20, 7} {
			if tt.name == "two frames" && step == 7 {
				continue // the second one is not seen before the next read
			}
			got, err := NewChannel(&script{in: strings.NewReader(tt.bytes), step: step}, 100_000).Ready(time.Time{})
			if !errors.Is(err, tt.err) {
				t.Errorf("%s: error %v, want %v", tt.name, err, tt.err)
			}
			if err == nil && (got.Kind != tt.want.Kind || got.ErrorType != tt.want.ErrorType || got.Oversize != tt.want.Oversize || !bytes.Equal(got.Body, tt.want.Body)) {
				t.Errorf("%s: got %+v", tt.name, got)
			}
		}
	}
}

func TestInvokeWritesOneFrame(t *testing.T) {
	s := &script{in: strings.NewReader(frame(Response, "1")), step: 100}
	inv := &Invocation{Deadline: time.UnixMilli(258), RequestID: "id", InvokedARN: "arn", TraceID: "t", ClientContext: []byte("cc"), Payload: []byte("{}")}
	got, err := NewChannel(s, 100).Invoke(inv, time.Time{})
	if err != nil || string(got.Body) != "1" {
		t.Fatalf("got %+v, %v", got, err)
	}
	want := "\x00\x00\x00\x1dI" + "\x00\x00\x00\x00\x00\x00\x01\x02" + "\x00\x02\x00\x03\x00\x01\x00\x00\x00\x02" + "idarntcc{}"
	if s.written.String() != want {
		t.Errorf("wrote %q, want %q", s.written.String(), want)
	}
}

// FuzzReceive feeds whatever a hostile process may write.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(frame(Failure, "\x00\x04Oops{}")), uint8(3))
	f.Add([]byte("\x00\x00\x00\x00"), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		c := NewChannel(&script{in: bytes.NewReader(data), step: int(step) + 1}, 1000)
		got, err := c.Ready(time.Time{})
		if err == nil && len(got.Body) > 1000 {
			t.Errorf("kept %d bytes", len(got.Body))
		}
	})
}

func TestInstallIsReadableByOthers(t *testing.T) {
	dir := t.TempDir()
	if err := Install(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/python/bootstrap.py", "/node/bootstrap.cjs"} {
		info, err := os.Stat(dir + name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o044 != 0o044 || info.Size() == 0 {
			t.Errorf("%s: mode %v, %d bytes", name, info.Mode(), info.Size())
		}
	}
}

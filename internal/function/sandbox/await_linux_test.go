package sandbox

import (
	"context"
	"os"
	"testing"
)

// TestAwait awaits files that become readable, are closed at the other end, or
// aren't wanted any more, one of them several times.
func TestAwait(t *testing.T) {
	t.Parallel()
	var a awaiter
	t.Cleanup(a.close)
	called := make(chan bool)
	note := func(ready bool) { called <- ready }
	await := func(ctx context.Context, file *os.File) {
		t.Helper()
		if err := a.await(ctx, file, note); err != nil {
			t.Fatal(err)
		}
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	buf := make([]byte, 8)
	for range 3 {
		await(ctx, read)
		if _, err := write.WriteString("a"); err != nil {
			t.Fatal(err)
		}
		if !<-called {
			t.Fatal("a file that can be read from was given up")
		}
		if n, err := read.Read(buf); n != 1 || err != nil {
			t.Fatalf("read %d bytes, %v", n, err)
		}
	}
	await(ctx, read)
	write.Close()
	if !<-called {
		t.Error("a file without another end was given up")
	}
	other, keep, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()
	defer other.Close()
	await(ctx, other)
	cancel()
	if <-called {
		t.Error("an empty file can be read from")
	}
	await(ctx, other)
	if <-called {
		t.Error("an empty file can be read from")
	}
}

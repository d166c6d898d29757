package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/sqlite"
)

// crashDir tells a copy of the test binary to be the child of TestCrash.
const crashDir = "BUTAI_TEST_CRASH_DIR"

// writersInChild each write a pair of keys per update, so that half an update
// would show.
const writersInChild = 4

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForever prints the name of each update after the store said it is
// durable.
func writeForever(dir string) error {
	s, err := sqlite.Open(context.Background(), dir, sqlite.Options{})
	if err != nil {
		return err
	}
	prefix := rand.Uint64()
	g, ctx := errgroup.WithContext(context.Background())
	for w := range writersInChild {
		g.Go(func() error {
			for i := 0; ; i++ {
				name := fmt.Sprintf("%016x-%d-%d", prefix, w, i)
				err := s.Update(ctx, func(tx store.Tx) error {
					value := []byte(strings.Repeat(name, 1+i%200))
					return errors.Join(tx.Put([]byte("a/"+name), value), tx.Put([]byte("b/"+name), value), tx.Append("f", []byte(name)))
				})
				if err != nil {
					return err
				}
				if _, err := os.Stdout.WriteString(name + "\n"); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// TestCrash kills a writing process at random moments. What it acknowledged
// must be there, and nothing by half.
func TestCrash(t *testing.T) {
	t.Parallel()
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	var acknowledged []string
	for range rounds {
		acknowledged = append(acknowledged, runAndKill(t, dir)...)
		checkAfterCrash(t, dir, acknowledged)
	}
	if len(acknowledged) < rounds {
		t.Errorf("only %d updates acknowledged in %d rounds", len(acknowledged), rounds)
	}
	t.Logf("%d updates acknowledged in %d rounds", len(acknowledged), rounds)
}

// runAndKill returns the updates a child acknowledged before kill -9, which
// comes some time after the first of them.
func runAndKill(t *testing.T, dir string) (names []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil { // a last line cut short was not acknowledged in full
			break
		}
		if names = append(names, strings.TrimSpace(line)); len(names) == 1 {
			time.AfterFunc(rand.N(150*time.Millisecond), func() { _ = cmd.Process.Kill() })
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return names
}

func checkAfterCrash(t *testing.T, dir string, acknowledged []string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatalf("open after a crash: %v", err)
	}
	defer s.Close()
	a, b, inFeed := map[string]bool{}, map[string]bool{}, map[string]bool{}
	err = s.View(t.Context(), func(r store.ReadTx) error {
		for kv, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			name := string(kv.Key[2:])
			if !strings.HasPrefix(string(kv.Value), name) || len(kv.Value)%len(name) != 0 {
				t.Errorf("key %q has a damaged value", kv.Key)
			}
			map[byte]map[string]bool{'a': a, 'b': b}[kv.Key[0]][name] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	records, err := s.Feed(t.Context(), "f", 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		inFeed[string(r.Payload)] = true
	}
	for _, name := range acknowledged {
		if !a[name] {
			t.Errorf("update %s was acknowledged and is gone", name)
		}
	}
	for name := range a {
		if !b[name] || !inFeed[name] {
			t.Errorf("half of update %s is there", name)
		}
	}
	if len(b) != len(a) || len(inFeed) != len(a) {
		t.Errorf("%d first keys, %d second keys, %d records", len(a), len(b), len(inFeed))
	}
}

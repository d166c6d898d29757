package release

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/butai-dev/butai/internal/release"
	"github.com/butai-dev/butai/internal/release/cloud"
	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/journal"
	"github.com/butai-dev/butai/internal/release/plan"
	"github.com/butai-dev/butai/test/harness"
)

// places are where records can be kept.
var places = []string{"butai-release", "s3://butai-releases", "s3://butai-releases/of/all"}

// TestRecords holds every place of records to one contract, here and on
// another implementation of the same AWS APIs.
func TestRecords(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]func(*testing.T) string{
		"butai": func(t *testing.T) string { return harness.Start(t).URL },
		"moto":  moto,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := server(t)
			for _, place := range places {
				t.Run(strings.ReplaceAll(place, "/", "_"), func(t *testing.T) { keepsRecords(t, url, place) })
			}
		})
	}
}

// open is an API's records as one command sees them.
func open(t *testing.T, url, place, api string) release.Records {
	t.Helper()
	cfg, err := cloud.Config(t.Context())
	if err != nil && cfg.Region != "" {
		t.Fatal(err)
	}
	cfg.Region, cfg.BaseEndpoint, cfg.Credentials = region, aws.String(url), harness.Credentials(account, "butai")
	return cloud.OpenRecords(cfg, &config.File{Records: place, API: api})
}

func keepsRecords(t *testing.T, url, place string) {
	r, other := open(t, url, place, "api1"), open(t, url, place, "api2")
	ctx := context.Background()
	for range 2 {
		if err := r.Create(ctx); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("journal", func(t *testing.T) { keepsJournal(t, r, other) })
	t.Run("definitions", func(t *testing.T) { keepsDefinitions(t, r) })
	t.Run("leases", func(t *testing.T) { keepsLeases(t, r) })
	t.Run("races", func(t *testing.T) { settlesRaces(t, r) })
}

// keepsJournal: a place of the journal is written once, though perhaps sent
// twice; APIs don't see each other's.
func keepsJournal(t *testing.T, r, other release.Records) {
	ctx := context.Background()
	var lines []journal.Entry
	var last *journal.Entry
	for i := range 25 {
		e, err := journal.Next(last, plan.Event{Type: plan.EventFrozen, Stage: "production", Reason: strings.Repeat("é\n", i)}, time.Unix(int64(i), 0))
		if err != nil {
			t.Fatal(err)
		}
		lines, last = append(lines, *e), e
		for range 2 {
			if err := r.Append(ctx, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	changed := lines[3]
	changed.Hash = "another"
	if err := r.Append(ctx, &changed); !errors.Is(err, release.ErrTaken) {
		t.Errorf("a second line 4: %v, want ErrTaken", err)
	}
	for _, after := range []int{0, 9, 25} {
		got, err := r.Entries(ctx, after)
		if err != nil || !slices.EqualFunc(got, lines[after:], func(a, b journal.Entry) bool { return a.Hash == b.Hash }) {
			t.Fatalf("after %d: %d lines, %v; want %d", after, len(got), err, 25-after)
		}
		if after == 0 {
			if _, err := journal.Replay(&plan.History{}, nil, got); err != nil {
				t.Error(err)
			}
		}
	}
	if got, err := other.Entries(ctx, 0); err != nil || len(got) != 0 {
		t.Errorf("another API has lines: %v, %v", got, err)
	}
}

// keepsDefinitions stores one that is more than an item may hold.
func keepsDefinitions(t *testing.T, r release.Records) {
	ctx := context.Background()
	if got, err := r.Definition(ctx, "none"); err != nil || got != nil {
		t.Errorf("a definition that isn't there: %q, %v", got, err)
	}
	source := rand.NewChaCha8([32]byte{1})
	large := make([]byte, 900<<10) // doesn't get smaller when packed
	_, _ = source.Read(large)
	for sum, want := range map[string][]byte{"small": []byte(`{"openapi": "3.0.1"}`), "large": large} {
		for range 2 {
			if err := r.PutDefinition(ctx, sum, want); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := r.Definition(ctx, sum); err != nil || !bytes.Equal(got, want) {
			t.Errorf("definition %s: %d bytes, %v; want %d", sum, len(got), err, len(want))
		}
	}
}

// keepsLeases: one owner at a time; it renews; who comes later takes over what
// has run out, or was given back.
func keepsLeases(t *testing.T, r release.Records) {
	ctx, now := context.Background(), time.UnixMilli(1_700_000_000_000)
	after := func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }
	take := func(owner string, from, until int, want string) {
		t.Helper()
		err := r.Lease(ctx, "production", owner, after(from), after(until))
		var leased *release.LeaseError
		switch {
		case want == "" && err != nil:
			t.Fatalf("%s at %d: %v", owner, from, err)
		case want != "" && (!errors.As(err, &leased) || leased.Owner != want || leased.Stage != "production"):
			t.Fatalf("%s at %d: %v, want it held by %s", owner, from, err, want)
		}
	}
	give := func(owner string) {
		t.Helper()
		if err := r.Unlease(ctx, "production", owner); err != nil {
			t.Fatal(err)
		}
	}
	give("ada")
	take("ada", 0, 30, "")
	take("bob", 10, 40, "ada")
	take("ada", 20, 50, "")
	take("bob", 40, 70, "ada")
	give("bob") // isn't his
	take("bob", 45, 70, "ada")
	take("bob", 51, 80, "") // hers has run out
	take("ada", 52, 80, "bob")
	give("ada")
	take("ada", 53, 80, "bob")
	give("bob")
	take("ada", 54, 80, "")
	var leased *release.LeaseError
	if err := r.Lease(ctx, "production", "bob", after(55), after(90)); !errors.As(err, &leased) || !leased.Until.Equal(after(80)) {
		t.Errorf("held until %v, want %v", leased, after(80))
	}
	if err := r.Lease(ctx, "staging", "bob", after(55), after(90)); err != nil {
		t.Errorf("another stage: %v", err)
	}
}

// settlesRaces: of many at once, one writes a line, and one takes a lease that
// has run out.
func settlesRaces(t *testing.T, r release.Records) {
	ctx, now := context.Background(), time.UnixMilli(1_700_000_000_000)
	if err := r.Lease(ctx, "raced", "old", now, now); err != nil {
		t.Fatal(err)
	}
	var lines, leases atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		owner := string(rune('a' + i))
		all.Go(func() {
			e := journal.Entry{Seq: 26, Hash: owner}
			switch err := r.Append(ctx, &e); {
			case err == nil:
				lines.Add(1)
			case !errors.Is(err, release.ErrTaken):
				t.Errorf("append: %v", err)
			}
		})
		all.Go(func() {
			var leased *release.LeaseError
			switch err := r.Lease(ctx, "raced", owner, now.Add(time.Second), now.Add(time.Minute)); {
			case err == nil:
				leases.Add(1)
			case !errors.As(err, &leased):
				t.Errorf("lease: %v", err)
			}
		})
	}
	all.Wait()
	if lines.Load() != 1 || leases.Load() != 1 {
		t.Errorf("%d wrote the line and %d took the lease, want one each", lines.Load(), leases.Load())
	}
}

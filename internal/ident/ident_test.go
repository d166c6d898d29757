package ident_test

import (
	"regexp"
	"sync"
	"testing"

	"github.com/butai-dev/butai/internal/ident"
)

func TestIdentifiersAreTheirOwn(t *testing.T) {
	t.Parallel()
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	var mu sync.Mutex
	seen := map[string]bool{}
	take := func(id string) {
		mu.Lock()
		defer mu.Unlock()
		if seen[id] {
			t.Errorf("%s comes twice", id)
		}
		seen[id] = true
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				id := ident.UUID()
				if !uuid.MatchString(id) {
					t.Errorf("%s is no random UUID", id)
				}
				take(id)
				take(ident.Hex(12))
				take(ident.Base64(11))
				take(ident.Hex(2000)[:32]) // more than is read at once
			}
		})
	}
	all.Wait()
}

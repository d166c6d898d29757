package gateway

import (
	"sync"
	"time"
)

// maxVerdicts bounds a stage's cache: identities come from clients, who may
// invent as many as they like.
const maxVerdicts = 10_000

// verdictCache remembers the verdicts of a stage's Lambda authorizers by
// authorizer and identity. What is kept is the policy, not the decision: each
// call is judged anew. A deployment begins with an empty one (AWS's own VAMS
// says that redeploying discards kept policies). It is safe for concurrent use.
type verdictCache struct {
	mu      sync.RWMutex
	entries map[string]keptVerdict
}

type keptVerdict struct {
	verdict *verdict
	until   time.Time
}

func newVerdictCache() *verdictCache { return &verdictCache{entries: map[string]keptVerdict{}} }

// get returns what is known, or nil.
func (c *verdictCache) get(key string, now time.Time) *verdict {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if kept, ok := c.entries[key]; ok && now.Before(kept.until) {
		return kept.verdict
	}
	return nil
}

// put remembers v. A full cache first drops what has run out, and then
// whatever comes.
func (c *verdictCache) put(key string, v *verdict, now, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= maxVerdicts {
		for k, kept := range c.entries {
			if !now.Before(kept.until) {
				delete(c.entries, k)
			}
		}
		for k := range c.entries {
			if len(c.entries) < maxVerdicts {
				break
			}
			delete(c.entries, k)
		}
	}
	c.entries[key] = keptVerdict{v, until}
}

// clear forgets everything.
func (c *verdictCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
}

package gateway

import (
	"container/list"
	"net/http"
	"sync"
	"time"
)

// maxCached is the size in bytes from which an answer is not cached (developer
// guide, "Quotas for configuring and running a REST API").
const maxCached = 1 << 20

// cacheStore is a stage's cache cluster: answers by key, the least recently
// used of which make room for new ones. It outlives deployments, as on AWS,
// and is safe for concurrent use.
type cacheStore struct {
	mu      sync.Mutex
	room    int64 // bytes that entries may take
	taken   int64
	entries map[string]*list.Element // of *cached
	recent  list.List                // most recently used first
}

// cached is an answer in the cache. Nobody changes it.
type cached struct {
	key    string
	until  time.Time
	status int
	header http.Header
	body   []byte
	size   int64
}

func newCacheStore(room int64) *cacheStore {
	return &cacheStore{room: room, entries: map[string]*list.Element{}}
}

// get returns the answer of key, or nil.
func (c *cacheStore) get(key string, now time.Time) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		return nil
	}
	found := e.Value.(*cached)
	if !now.Before(found.until) {
		c.drop(e)
		return nil
	}
	c.recent.MoveToFront(e)
	return found
}

// put keeps an answer in the place of an earlier one, unless it is too large.
func (c *cacheStore) put(v *cached) {
	v.size = int64(len(v.key) + len(v.body))
	for name, values := range v.header {
		v.size += int64(len(name))
		for _, value := range values {
			v.size += int64(len(value))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[v.key]; ok {
		c.drop(e)
	}
	if v.size > maxCached || v.size > c.room {
		return
	}
	for c.taken+v.size > c.room {
		c.drop(c.recent.Back())
	}
	c.entries[v.key] = c.recent.PushFront(v)
	c.taken += v.size
}

// drop removes an entry. The caller holds the lock.
func (c *cacheStore) drop(e *list.Element) {
	v := c.recent.Remove(e).(*cached)
	delete(c.entries, v.key)
	c.taken -= v.size
}

// clear forgets everything.
func (c *cacheStore) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
	c.recent.Init()
	c.taken = 0
}

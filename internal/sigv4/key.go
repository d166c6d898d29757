package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
)

// maxKeys bounds the cache of derived keys. A client needs one per day,
// region and service, so this is room for hundreds of clients.
const maxKeys = 4096

type keyID struct{ secret, date, region, service string }

// keyCache remembers derived signing keys: four of the five HMACs of a
// verification. When full it starts again from empty, which costs busy
// clients one derivation.
type keyCache struct {
	mu   sync.RWMutex
	keys map[keyID][]byte
}

func (c *keyCache) get(secret string, s Scope) []byte {
	id := keyID{secret, s.Date, s.Region, s.Service}
	c.mu.RLock()
	key, ok := c.keys[id]
	c.mu.RUnlock()
	if ok {
		return key
	}
	key = deriveKey(secret, s)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil || len(c.keys) >= maxKeys {
		c.keys = map[keyID][]byte{}
	}
	c.keys[id] = key
	return key
}

func deriveKey(secret string, s Scope) []byte {
	key := mac([]byte("AWS4"+secret), s.Date)
	key = mac(key, s.Region)
	key = mac(key, s.Service)
	return mac(key, terminator)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexMAC(key []byte, text string) string { return hex.EncodeToString(mac(key, text)) }

func hexHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func hexSum(h hash.Hash) string {
	var space [sha256.Size]byte
	return hex.EncodeToString(h.Sum(space[:0]))
}

package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"sync"
)

// maxKeys bounds the cache of derived keys. A client needs one per day,
// region and service, so this is room for hundreds of clients.
const maxKeys = 4096

type keyID struct{ secret, date, region, service string }

// signingKey is a derived key. It keeps hashes that are ready for the next
// text, which spares half the work of a verification.
type signingKey struct {
	key  []byte
	idle sync.Pool // of hash.Hash
}

// sign returns the signature of text in hexadecimal.
func (k *signingKey) sign(text []byte) (signature [2 * sha256.Size]byte) {
	h, ok := k.idle.Get().(hash.Hash)
	if !ok {
		h = hmac.New(sha256.New, k.key)
	}
	h.Write(text)
	var sum [sha256.Size]byte
	hex.Encode(signature[:], h.Sum(sum[:0]))
	h.Reset()
	k.idle.Put(h)
	return signature
}

// signed reports whether text has been signed with the key.
func (k *signingKey) signed(text []byte, signature string) bool {
	want := k.sign(text)
	return subtle.ConstantTimeCompare(want[:], []byte(signature)) == 1
}

// keyCache remembers derived signing keys: four of the five HMACs of a
// verification. When full it starts again from empty, which costs busy
// clients one derivation.
type keyCache struct {
	mu   sync.RWMutex
	keys map[keyID]*signingKey
}

func (c *keyCache) get(secret string, s Scope) *signingKey {
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
		c.keys = map[keyID]*signingKey{}
	}
	c.keys[id] = key
	return key
}

func deriveKey(secret string, s Scope) *signingKey {
	key := mac([]byte("AWS4"+secret), s.Date)
	key = mac(key, s.Region)
	key = mac(key, s.Service)
	return &signingKey{key: mac(key, terminator)}
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func hexSum(h hash.Hash) string {
	var space [sha256.Size]byte
	return hex.EncodeToString(h.Sum(space[:0]))
}

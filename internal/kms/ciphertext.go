package kms

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
)

// A symmetric ciphertext is header, the id of the material that made it, a
// nonce, and AES-GCM over the plaintext. The header is the one of AWS's own
// (AQICAHh… in base64), so that people see what they are used to.
var header = []byte{1, 2, 2, 0, 0x78}

const (
	idSize     = 32
	nonceSize  = 12
	prefixSize = 5 + idSize + nonceSize
)

func badCiphertext() error { return &kmsapi.InvalidCiphertextException{} }

func (m *material) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(m.Secret)
	if err != nil {
		return nil, fmt.Errorf("material %s: %w", m.ID, err)
	}
	return cipher.NewGCM(block)
}

// seal encrypts under an encryption context.
func (m *material) seal(plaintext []byte, context map[string]string) ([]byte, error) {
	id, err := hex.DecodeString(m.ID)
	if err != nil {
		return nil, fmt.Errorf("material %s: %w", m.ID, err)
	}
	aead, err := m.aead()
	if err != nil {
		return nil, err
	}
	blob := slices.Concat(header, id, ident.Bytes(nonceSize))
	return aead.Seal(blob, blob[prefixSize-nonceSize:], plaintext, bound(blob, context)), nil
}

// open decrypts what seal made under the same context.
func (m *material) open(blob []byte, context map[string]string) ([]byte, error) {
	aead, err := m.aead()
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(nil, blob[prefixSize-nonceSize:prefixSize], blob[prefixSize:], bound(blob[:prefixSize], context))
	if err != nil {
		return nil, badCiphertext()
	}
	return plaintext, nil
}

// bound is what a ciphertext is authenticated with beside its plaintext.
func bound(prefix []byte, context map[string]string) []byte {
	data := slices.Clone(prefix)
	for _, name := range slices.Sorted(maps.Keys(context)) {
		for _, text := range []string{name, context[name]} {
			data = binary.BigEndian.AppendUint32(data, uint32(len(text)))
			data = append(data, text...)
		}
	}
	return data
}

// materialOf is the id of the material that made a ciphertext; "" if it isn't
// a symmetric one.
func materialOf(blob []byte) string {
	if len(blob) < prefixSize || !bytes.HasPrefix(blob, header) {
		return ""
	}
	return hex.EncodeToString(blob[len(header) : len(header)+idSize])
}

// sealer is the key that made a ciphertext, or nil if there is none.
func (s *Service) sealer(ctx context.Context, blob []byte) (*key, error) {
	id := materialOf(blob)
	if id == "" {
		return nil, badCiphertext()
	}
	var k *key
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		of, err := materials.Get(r, id)
		if err != nil || of == nil {
			return err
		}
		k, err = keyring.Get(r, of.Account, of.Region, of.Key)
		return err
	})
	if k != nil && k.gone(s.Clock.Now()) {
		k = nil
	}
	return k, err
}

// unseal decrypts by the material that made the ciphertext.
func (k *key) unseal(blob []byte, context map[string]string) (plaintext []byte, materialID string, err error) {
	id := materialOf(blob)
	for i := range k.Material {
		if m := &k.Material[i]; m.ID == id {
			plaintext, err = m.open(blob, context)
			return plaintext, id, err
		}
	}
	return nil, "", badCiphertext()
}

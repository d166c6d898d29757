package server

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"

	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/secretsmanager"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// vault stands in for KMS: one key of its own encrypts what names none.
type vault struct{ seal cipher.AEAD }

var _ secretsmanager.Keys = (*vault)(nil)

var vaultKeys = record.New[[]byte]("server", "vault")

func newVault(ctx context.Context, st store.Store) (*vault, error) {
	fresh := ident.Bytes(32)
	var key *[]byte
	err := st.Update(ctx, func(tx store.Tx) (err error) {
		if key, err = vaultKeys.Get(tx, "key"); err != nil || key != nil {
			return err
		}
		key = &fresh
		return vaultKeys.Put(tx, key, "key")
	})
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(*key)
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCM(block)
	return &vault{seal}, err
}

// Encrypt implements Keys.
func (v *vault) Encrypt(_ context.Context, key string, plaintext []byte, about map[string]string) ([]byte, error) {
	if key != "alias/aws/secretsmanager" && key != "alias/aws/ssm" {
		return nil, wire.NotBuilt("keys of KMS; leave KmsKeyId and KeyId out")
	}
	bound, err := json.Marshal(about)
	if err != nil {
		return nil, err
	}
	nonce := ident.Bytes(v.seal.NonceSize())
	return v.seal.Seal(nonce, nonce, plaintext, bound), nil
}

// Decrypt implements Keys.
func (v *vault) Decrypt(_ context.Context, ciphertext []byte, about map[string]string) ([]byte, error) {
	bound, err := json.Marshal(about)
	if err != nil {
		return nil, err
	}
	n := v.seal.NonceSize()
	if len(ciphertext) < n {
		return nil, errors.New("vault: no ciphertext")
	}
	return v.seal.Open(nil, ciphertext[:n], ciphertext[n:], bound)
}

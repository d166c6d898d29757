package iam

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"sync/atomic"
	"time"

	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// key is an access key as it is stored, by id: a user's long-lived one, or
// the temporary one of a session.
type key struct {
	ID, Secret string
	Account    string
	Created    time.Time
	Inactive   bool   `json:",omitzero"`
	User       string `json:",omitzero"` // of a long-lived key

	// The rest belongs to temporary keys.
	Token      string    `json:",omitzero"`
	Expires    time.Time `json:",omitzero"`
	Subject    string    `json:",omitzero"` // ARN in GetCallerIdentity
	SubjectID  string    `json:",omitzero"`
	Role       string    `json:",omitzero"` // name of the assumed role
	Policy     string    `json:",omitzero"` // session policy document
	PolicyARNs []string  `json:",omitzero"` // managed session policies
}

// setting is the service's one private record.
type setting struct {
	Seal []byte
}

// loadSeal reads the key that seals access key ids, making it at first start.
func (s *Service) loadSeal(ctx context.Context) ([]byte, error) {
	fresh := ident.Bytes(32)
	var have *setting
	err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
		if have, err = settings.Get(tx, "seal"); err != nil || have != nil {
			return err
		}
		have = &setting{Seal: fresh}
		return settings.Put(tx, have, "seal")
	})
	if err != nil {
		return nil, err
	}
	return have.Seal, nil
}

// sealLength is how many characters of an access key id are its seal.
const sealLength = 5

// newKeyID makes a 20-character access key id that ends in a seal. The seal
// tells a key that was ours, even after it was deleted, from a foreign one:
// only foreign keys may act as the root user.
func (s *Service) newKeyID(prefix string) string {
	id := prefix + ident.Upper(20-len(prefix)-sealLength)
	return id + s.sealOf(id)
}

func (s *Service) sealOf(id string) string {
	mac := hmac.New(sha256.New, s.seal)
	mac.Write([]byte(id))
	return base32.StdEncoding.EncodeToString(mac.Sum(nil))[:sealLength]
}

func (s *Service) issued(id string) bool {
	if _, known := s.keys.Load(id); known {
		return true
	}
	return len(id) == 20 && s.sealOf(id[:20-sealLength]) == id[20-sealLength:]
}

// Lookup finds the holder of an access key. It returns nil for a key that
// butai didn't issue, and a disabled principal for one that is gone. Nobody may
// change what it returns.
func (s *Service) Lookup(id string) *wire.Principal {
	generation := s.generation.Load()
	if c, ok := s.keys.Load(id); ok {
		if h := c.(*cachedKey).holder.Load(); h != nil && h.generation == generation {
			return &h.Principal
		}
	}
	if !s.issued(id) {
		return nil
	}
	k := s.cachedKey(id)
	if k == nil || k.Inactive {
		return &wire.Principal{Disabled: true}
	}
	p := s.holderOf(k.key)
	k.holder.Store(&holder{*p, generation})
	return p
}

// holderOf is whom an active key opens doors for.
func (s *Service) holderOf(k *key) *wire.Principal {
	p := &wire.Principal{Account: k.Account, Secret: k.Secret, Token: k.Token, Expires: k.Expires, ARN: k.Subject, UserID: k.SubjectID, UserName: k.User}
	switch {
	case k.User != "":
		sub := s.subject(k.Account, userKind, k.User)
		if sub == nil || k.Token != "" && k.SubjectID != sub.id {
			return &wire.Principal{Disabled: true}
		}
		p.ARN, p.UserID = sub.arn, sub.id
	case k.Role != "":
		if s.sessionRole(k) == nil {
			return &wire.Principal{Disabled: true}
		}
	}
	return p
}

// sessionRole returns the role that a session's key was issued for, or nil if
// it is gone: a new role of the same name is another one.
func (s *Service) sessionRole(k *key) *subject {
	sub := s.subject(k.Account, roleKind, k.Role)
	if sub == nil || !strings.HasPrefix(k.SubjectID, sub.id+":") {
		return nil
	}
	return sub
}

// cachedKey is a key as it was read at a generation.
type cachedKey struct {
	*key
	generation uint64
	holder     atomic.Pointer[holder]
}

// holder is whose a key was at a generation.
type holder struct {
	wire.Principal
	generation uint64
}

// key reads a key through the cache; nil means that it is gone.
func (s *Service) key(id string) *key {
	if c := s.cachedKey(id); c != nil {
		return c.key
	}
	return nil
}

func (s *Service) cachedKey(id string) *cachedKey {
	generation := s.generation.Load()
	if c, ok := s.keys.Load(id); ok && (c.(*cachedKey).generation == generation || c.(*cachedKey).Token != "") {
		return c.(*cachedKey) // a session's key never changes
	}
	var k *key
	err := s.Store.View(context.Background(), func(r store.ReadTx) (err error) {
		k, err = keyring.Get(r, id)
		return err
	})
	if err != nil {
		s.Log.Error("look up access key", "error", err)
		return nil
	}
	if k == nil {
		return nil
	}
	c := &cachedKey{key: k, generation: generation}
	s.keys.Store(id, c)
	return c
}

// userKeys lists a user's keys, oldest first.
func userKeys(r store.ReadTx, account, user string) ([]*key, error) {
	var out []*key
	for k, err := range keyring.All(r) {
		if err != nil {
			return nil, err
		}
		if k.User == user && k.Account == account && k.Token == "" {
			out = append(out, k)
		}
	}
	return out, nil
}

func renameKeys(tx store.Tx, account, from, to string) error {
	owned, err := userKeys(tx, account, from)
	if err != nil {
		return err
	}
	for _, k := range owned {
		k.User = to
		if err := keyring.Put(tx, k, k.ID); err != nil {
			return err
		}
	}
	return nil
}

// maxKeys is IAM's quota of access keys per user.
const maxKeys = 2

// CreateAccessKey gives a user a long-lived key.
func (s *Service) CreateAccessKey(ctx context.Context, in *iamapi.CreateAccessKeyRequest) (*iamapi.CreateAccessKeyResponse, error) {
	name, err := userName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	k := &key{ID: s.newKeyID("AKIA"), Secret: ident.Mixed(40), Account: account(ctx), Created: *s.now(), User: name}
	err = s.update(ctx, func(tx store.Tx) error {
		if _, err := userKind.get(tx, k.Account, name); err != nil {
			return err
		}
		owned, err := userKeys(tx, k.Account, name)
		if err != nil {
			return err
		}
		if len(owned) >= maxKeys {
			return &iamapi.LimitExceededException{Message: wire.Ptr("Cannot exceed quota for AccessKeysPerUser: 2")}
		}
		return keyring.Put(tx, k, k.ID)
	})
	return &iamapi.CreateAccessKeyResponse{AccessKey: &iamapi.AccessKey{UserName: &name, AccessKeyId: &k.ID,
		Status: k.status(), SecretAccessKey: &k.Secret, CreateDate: &k.Created}}, err
}

func (k *key) status() *string {
	if k.Inactive {
		return wire.Ptr(iamapi.StatusTypeInactive)
	}
	return wire.Ptr(iamapi.StatusTypeActive)
}

// ListAccessKeys lists a user's keys without their secrets.
func (s *Service) ListAccessKeys(ctx context.Context, in *iamapi.ListAccessKeysRequest) (*iamapi.ListAccessKeysResponse, error) {
	name, err := userName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	var all []iamapi.AccessKeyMetadata
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		if _, err := userKind.get(r, account(ctx), name); err != nil {
			return err
		}
		owned, err := userKeys(r, account(ctx), name)
		all = nil
		for _, k := range owned {
			all = append(all, iamapi.AccessKeyMetadata{UserName: &name, AccessKeyId: &k.ID, Status: k.status(), CreateDate: &k.Created})
		}
		return err
	})
	out, truncated, next := page(all, func(k iamapi.AccessKeyMetadata) string { return *k.AccessKeyId }, in.Marker, in.MaxItems)
	return &iamapi.ListAccessKeysResponse{AccessKeyMetadata: list(out), IsTruncated: truncated, Marker: next}, err
}

// editKey changes a user's key; a nil result of fn deletes it.
func (s *Service) editKey(ctx context.Context, user *string, id string, fn func(*key) *key) error {
	name, err := userName(ctx, user)
	if err != nil {
		return err
	}
	return s.update(ctx, func(tx store.Tx) error {
		k, err := keyring.Get(tx, id)
		if err != nil {
			return err
		}
		if k == nil || k.User != name || k.Account != account(ctx) {
			return &iamapi.NoSuchEntityException{Message: wire.Ptr("The Access Key with id " + id + " cannot be found.")}
		}
		if k = fn(k); k == nil {
			return keyring.Delete(tx, id)
		}
		return keyring.Put(tx, k, id)
	})
}

// UpdateAccessKey activates or deactivates a key.
func (s *Service) UpdateAccessKey(ctx context.Context, in *iamapi.UpdateAccessKeyRequest) error {
	if *in.Status == iamapi.StatusTypeExpired {
		return wire.Errorf("ValidationError", "Status Expired cannot be set")
	}
	return s.editKey(ctx, in.UserName, *in.AccessKeyId, func(k *key) *key {
		k.Inactive = *in.Status == iamapi.StatusTypeInactive
		return k
	})
}

// DeleteAccessKey deletes a key; from then on it opens nothing.
func (s *Service) DeleteAccessKey(ctx context.Context, in *iamapi.DeleteAccessKeyRequest) error {
	err := s.editKey(ctx, in.UserName, *in.AccessKeyId, func(*key) *key { return nil })
	if err == nil {
		s.keys.Delete(*in.AccessKeyId)
	}
	return err
}

// AccountOf says whose key an id is, for STS's GetAccessKeyInfo.
func (s *Service) AccountOf(id string) (account string, known bool) {
	if k := s.key(id); k != nil && s.issued(id) {
		return k.Account, true
	}
	if len(id) == 12 && strings.Trim(id, "0123456789") == "" {
		return id, true
	}
	return "", false
}

// Package kms is AWS Key Management Service: keys and what is done with them,
// aliases, key policies, grants, rotation. A key's material never leaves the
// store; other services encrypt with it through Seal and Open (use.go).
package kms

import (
	"context"
	"time"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Authorizer decides whether a principal may do something with a key.
type Authorizer interface {
	// Authorize returns "" if the caller may, or the message of the refusal.
	Authorize(ctx context.Context, caller *wire.Caller, target wire.IAMTarget) (denial string)
	// RoleMay is Authorize for a service that has assumed a role.
	RoleMay(roleARN, service string, target wire.IAMTarget) (denial string)
	// Exists reports whether there is a role, user or root user of the ARN.
	Exists(principalARN string) bool
}

// Config is what New needs; every field is required.
type Config struct {
	Store      store.Store
	Clock      clock.Clock
	Authorizer Authorizer
}

// Service implements KMS, by account and region.
type Service struct {
	Config
}

// New returns the service.
func New(cfg Config) *Service { return &Service{cfg} }

// key is a KMS key as it is stored, by account, region and id.
type key struct {
	Account, Region, ID string
	Created             time.Time
	Description         string `json:",omitzero"`
	Usage, Spec         string
	Disabled            bool          `json:",omitzero"`
	Deletion            time.Time     `json:",omitzero"` // when it is due; zero if it isn't
	Service             string        `json:",omitzero"` // for which AWS manages the key, such as "lambda"
	Policy              string        // as text
	Tags                []kmsapi.Tag  `json:",omitzero"`
	Material            []material    // oldest first; the last one encrypts
	Rotation            rotation      `json:",omitzero"`
	Rotations           []rotationRun `json:",omitzero"`
}

// material is what a key computes with: 32 bytes for symmetric encryption, an
// HMAC's secret, or a private key in PKCS #8.
type material struct {
	ID     string // 64 hexadecimal digits
	Secret []byte
}

// owner says whose material an id names.
type owner struct{ Account, Region, Key string }

// alias is a name for a key, by account, region and name.
type alias struct {
	Name, Target     string // alias/…, id of the key
	Created, Updated time.Time
}

var (
	keyring   = record.New[key]("kms", "key")
	aliases   = record.New[alias]("kms", "alias")
	materials = record.New[owner]("kms", "material")
	grants    = record.New[grant]("kms", "grant") // by account, region, key and grant id
	tokens    = record.New[grantAt]("kms", "token")
)

func (k *key) id() []string { return []string{k.Account, k.Region, k.ID} }

func (k *key) arn() string { return arn.New("kms", k.Region, k.Account, "key/"+k.ID).String() }

func (k *key) current() *material { return &k.Material[len(k.Material)-1] }

func (k *key) gone(now time.Time) bool { return !k.Deletion.IsZero() && !now.Before(k.Deletion) }

func (k *key) state() string {
	switch {
	case !k.Deletion.IsZero():
		return kmsapi.KeyStatePendingDeletion
	case k.Disabled:
		return kmsapi.KeyStateDisabled
	}
	return kmsapi.KeyStateEnabled
}

// edit changes a key that the request names by id or ARN, not by alias.
func (s *Service) edit(ctx context.Context, keyID *string, fn func(tx store.Tx, k *key) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error {
		k, err := s.named(ctx, tx, *keyID)
		if err != nil {
			return err
		}
		if err := fn(tx, k); err != nil {
			return err
		}
		return keyring.Put(tx, k, k.id()...)
	})
}

// read looks at a key that the request names by id or ARN, not by alias.
func (s *Service) read(ctx context.Context, keyID *string, fn func(r store.ReadTx, k *key) error) error {
	return s.Store.View(ctx, func(r store.ReadTx) error {
		k, err := s.named(ctx, r, *keyID)
		if err != nil {
			return err
		}
		return fn(r, k)
	})
}

func (s *Service) now() time.Time { return s.Clock.Now().UTC().Truncate(time.Millisecond) }

// Package secretsmanager is AWS Secrets Manager: secrets with their versions
// and staging labels, resource policies, and rotation by functions. Values are
// kept encrypted, by keys of KMS.
package secretsmanager

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Keys encrypts and decrypts with keys of KMS, in the name of the context's
// caller. Both are bound to what they are about, the encryption context.
type Keys interface {
	// Encrypt takes the key by its id, ARN or alias.
	Encrypt(ctx context.Context, key string, plaintext []byte, about map[string]string) (ciphertext []byte, err error)
	Decrypt(ctx context.Context, ciphertext []byte, about map[string]string) (plaintext []byte, err error)
}

// Authorizer decides whether a caller may read one secret of several.
type Authorizer interface {
	// Authorize returns "" if the caller may, or the message of the refusal.
	Authorize(ctx context.Context, caller *wire.Caller, target wire.IAMTarget) (denial string)
}

// Functions calls the functions that rotate secrets.
type Functions interface {
	// MayRotate reports whether a function lets Secrets Manager call it for a secret.
	MayRotate(functionARN, secretARN, account string) bool
	// Rotate calls it to the end; an error says that the step wasn't done.
	Rotate(ctx context.Context, functionARN, secretARN, account string, event []byte) error
}

// Config is what New needs; every field is required.
type Config struct {
	Store      store.Store
	Clock      clock.Clock
	Log        *slog.Logger
	Keys       Keys
	Functions  Functions
	Authorizer Authorizer
}

// Service implements Secrets Manager.
type Service struct {
	Config
	clockwork *due.Queue
	busy      sync.Map // ids of secrets that are rotated right now
}

// secretRecord is one secret. Its versions are records of their own.
type secretRecord struct {
	Account, Region, Name string
	Suffix                string // the six characters that end its ARN
	Description           string `json:",omitzero"`
	Key                   string `json:",omitzero"` // of KMS, as it was given; "" for the account's own
	Created, Changed      time.Time
	Accessed              time.Time               `json:",omitzero"` // the day
	Deletion              time.Time               `json:",omitzero"` // when it was asked for
	Gone                  time.Time               `json:",omitzero"` // when it is deleted for good
	Tags                  []secretsmanagerapi.Tag `json:",omitzero"` // nil until there has been one
	Policy                string                  `json:",omitzero"`
	Stages                map[string]string       `json:",omitzero"` // ids of versions by their staging labels
	Versions              int                     // that there have been
	Rotation              *rotationRecord         `json:",omitzero"`
}

// versionRecord is one version of a secret.
type versionRecord struct {
	ID       string
	Number   int // counts the secret's versions
	Created  time.Time
	Accessed time.Time `json:",omitzero"` // the day
	Key      string    `json:",omitzero"` // of KMS, as it was given
	Value    []byte    `json:",omitzero"` // encrypted; nil until a rotation sets it
	Binary   bool      `json:",omitzero"`
}

var (
	// The ids are account, region and name, and then the version's id.
	secrets  = record.New[secretRecord]("secretsmanager", "secret")
	versions = record.New[versionRecord]("secretsmanager", "version")
)

// New opens the service over its store. Secrets are rotated, and deleted for
// good, from Start on; Close ends that.
func New(ctx context.Context, cfg Config) (*Service, error) {
	s := &Service{Config: cfg}
	s.clockwork = due.Held(due.Attempts(s.attend, cfg.Clock, cfg.Log), cfg.Clock)
	err := cfg.Store.View(ctx, func(r store.ReadTx) error {
		for rec, err := range secrets.All(r) {
			if err != nil {
				return err
			}
			s.wind(rec)
		}
		return nil
	})
	return s, err
}

// Start lets the service do what is due.
func (s *Service) Start() { s.clockwork.Start() }

// Close waits for rotations until ctx ends.
func (s *Service) Close(ctx context.Context) error {
	s.clockwork.Close(ctx)
	return nil
}

// place is where a secret's name is unique.
type place struct{ account, region, name string }

func (p place) key(more ...string) []string {
	return append([]string{p.account, p.region, p.name}, more...)
}

func (rec *secretRecord) place() place { return place{rec.Account, rec.Region, rec.Name} }

func (rec *secretRecord) arn() string {
	return arn.New("secretsmanager", rec.Region, rec.Account, secretPrefix+rec.Name+"-"+rec.Suffix).String()
}

// now is the time as the API shows it, in milliseconds.
func (s *Service) now() time.Time { return s.Clock.Now().UTC().Truncate(time.Millisecond) }

// today is the day, which is all that is kept of when somebody reads.
func (s *Service) today() time.Time { return s.Clock.Now().UTC().Truncate(24 * time.Hour) }

// edit changes a secret that must exist and not be about to be deleted.
func (s *Service) edit(ctx context.Context, id *string, fn func(tx store.Tx, rec *secretRecord) error) (*secretRecord, error) {
	var rec *secretRecord
	err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
		if rec, err = s.living(ctx, tx, wire.Val(id)); err != nil {
			return err
		}
		if err = fn(tx, rec); err != nil {
			return err
		}
		return secrets.Put(tx, rec, rec.place().key()...)
	})
	return rec, err
}

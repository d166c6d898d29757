// Package ssm is the Parameter Store of AWS Systems Manager: parameters in
// hierarchies, with their versions and labels. Secure strings are kept
// encrypted, by keys of KMS. The rest of Systems Manager isn't here.
package ssm

import (
	"context"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
)

// Keys encrypts and decrypts with keys of KMS, in the name of the context's
// caller. Both are bound to what they are about, the encryption context.
type Keys interface {
	// Encrypt takes the key by its id, ARN or alias.
	Encrypt(ctx context.Context, key string, plaintext []byte, about map[string]string) (ciphertext []byte, err error)
	Decrypt(ctx context.Context, ciphertext []byte, about map[string]string) (plaintext []byte, err error)
}

// Secrets reads secrets of Secrets Manager for parameters that refer to them.
type Secrets interface {
	// ReadSecret returns a secret's text, in the name of the context's caller.
	// Of version and stage one may be set; nil without an error says that there
	// is no such secret.
	ReadSecret(ctx context.Context, id, version, stage string) (*Secret, error)
}

// Secret is a secret as references show it. The JSON form is SourceResult.
type Secret struct {
	ARN           string    `json:"ARN"`
	Name          string    `json:"name"`
	VersionID     string    `json:"versionId"`
	Text          string    `json:"secretString"`
	VersionStages []string  `json:"versionStages"`
	Created       time.Time `json:"createdDate"`
}

// Config is what New needs; every field is required.
type Config struct {
	Store   store.Store
	Clock   clock.Clock
	Keys    Keys
	Secrets Secrets
}

// Service implements Parameter Store.
type Service struct{ Config }

// New returns the service over its store.
func New(cfg Config) *Service { return &Service{cfg} }

// parameterRecord is one parameter. Its versions are records of their own.
type parameterRecord struct {
	Account, Region string
	Name            string           // as it was made
	Latest          int64            // version
	Oldest          int64            // version that is kept
	Labels          map[string]int64 `json:",omitzero"` // versions by their labels
	Tags            []ssmapi.Tag     `json:",omitzero"`
}

// versionRecord is one version of a parameter.
type versionRecord struct {
	Version        int64
	Type           string
	Value          []byte // encrypted if it is a secure string
	Key            string `json:",omitzero"` // of KMS, as it was given
	Description    string `json:",omitzero"`
	AllowedPattern string `json:",omitzero"`
	Tier           string
	DataType       string
	Modified       time.Time
	User           string // ARN
}

var (
	// The ids are account, region and place, and then the version.
	parameters = record.New[parameterRecord]("ssm", "parameter")
	history    = record.New[versionRecord]("ssm", "version")
)

// place is where a name is unique: with and without a leading slash, a name of
// one level is the same parameter's (recorded).
func placeOf(name string) string {
	if rest, ok := strings.CutPrefix(name, "/"); ok && !strings.Contains(rest, "/") {
		return rest
	}
	return name
}

func (p *parameterRecord) key(more ...string) []string {
	return append([]string{p.Account, p.Region, placeOf(p.Name)}, more...)
}

func (p *parameterRecord) arn() string { return arnOf(p.Account, p.Region, p.Name) }

func arnOf(account, region, name string) string {
	return arn.New("ssm", region, account, "parameter/"+strings.TrimPrefix(name, "/")).String()
}

// now is the time as the API shows it, in milliseconds.
func (s *Service) now() time.Time { return s.Clock.Now().UTC().Truncate(time.Millisecond) }

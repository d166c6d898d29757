package secretsmanager

import (
	"context"
	"regexp"
	"strings"

	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	secretPrefix = "secret:" // of the resource part of ARNs
	suffixLength = 6
)

var (
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]+$`)
	suffixForm = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)
)

// reference is what a SecretId says.
type reference struct {
	place
	suffix string // of a full ARN; "" if any will do
}

// parse reads a SecretId: a name, an ARN, or an ARN without its last seven
// characters. A partial ARN that ends like a full one is taken for one, as the
// guide warns; then there is no such secret.
func parse(ctx context.Context, id string) (reference, error) {
	c := wire.CallerFrom(ctx)
	if !strings.HasPrefix(id, "arn:") {
		if !nameForm.MatchString(id) {
			return reference{}, invalidName()
		}
		return reference{place: place{c.Account, c.Region, id}}, nil
	}
	a, err := arn.Parse(id)
	name, isSecret := strings.CutPrefix(a.Resource, secretPrefix)
	if err != nil || a.Service != "secretsmanager" || !isSecret || !nameForm.MatchString(name) {
		return reference{}, invalidName()
	}
	ref := reference{place: place{a.Account, a.Region, name}}
	if suffixForm.MatchString(name) {
		cut := len(name) - suffixLength
		ref.name, ref.suffix = name[:cut-1], name[cut:]
	}
	return ref, nil
}

// find reads the secret of a SecretId; nil if there is none. One whose recovery
// window has passed is none.
func (s *Service) find(r store.ReadTx, ref reference) (*secretRecord, error) {
	rec, err := secrets.Get(r, ref.key()...)
	if err != nil || rec == nil || s.isGone(rec) || ref.suffix != "" && ref.suffix != rec.Suffix {
		return nil, err
	}
	return rec, nil
}

func (s *Service) isGone(rec *secretRecord) bool {
	return !rec.Gone.IsZero() && !rec.Gone.After(s.Clock.Now())
}

// get reads a secret that must exist. Another account's is open only through
// its policy, which was evaluated with the caller's.
func (s *Service) get(ctx context.Context, r store.ReadTx, id string) (*secretRecord, error) {
	ref, err := parse(ctx, id)
	if err != nil {
		return nil, err
	}
	c := wire.CallerFrom(ctx)
	if ref.region != c.Region {
		return nil, noSecret()
	}
	rec, err := s.find(r, ref)
	if err == nil && (rec == nil || rec.Account != c.Account && rec.Policy == "") {
		err = noSecret()
	}
	return rec, err
}

// living reads a secret that must exist and not be about to be deleted.
func (s *Service) living(ctx context.Context, r store.ReadTx, id string) (*secretRecord, error) {
	rec, err := s.get(ctx, r, id)
	if err == nil && !rec.Deletion.IsZero() {
		err = markedForDeletion()
	}
	return rec, err
}

// read is living in a transaction of its own.
func (s *Service) read(ctx context.Context, id *string) (rec *secretRecord, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) (err error) {
		rec, err = s.living(ctx, r, wire.Val(id))
		return err
	})
	return rec, err
}

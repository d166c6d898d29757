package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"maps"
	"slices"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// tokenLife is how long a ClientRequestToken makes a transaction idempotent.
const tokenLife = 10 * time.Minute

// tokenRecord remembers a transaction by its ClientRequestToken.
type tokenRecord struct {
	Account, Region, Token string
	Digest                 string
	Expires                time.Time
}

// errReplayed says that the transaction was done before.
var errReplayed = errors.New("dynamodb: transaction already done")

// claim returns a step that takes the token within the transaction: it fails
// with errReplayed if the same request holds it, and with
// IdempotentParameterMismatchException if another one does.
func (s *Service) claim(ctx context.Context, token, sum string) func(store.Tx) error {
	c := wire.CallerFrom(ctx)
	now := s.clock.Now()
	return func(tx store.Tx) error {
		r, err := s.tokens.Get(tx, c.Account, c.Region, token)
		switch {
		case err != nil:
			return err
		case r != nil && now.Before(r.Expires) && r.Digest == sum:
			return errReplayed
		case r != nil && now.Before(r.Expires):
			return &dynamodbapi.IdempotentParameterMismatchException{Message: wire.Ptr(
				"Tokens with same value, but different request parameters are not supported")}
		}
		r = &tokenRecord{Account: c.Account, Region: c.Region, Token: token, Digest: sum, Expires: now.Add(tokenLife)}
		return s.tokens.Put(tx, r, c.Account, c.Region, token)
	}
}

// forgetTokens deletes the expired tokens.
func (s *Service) forgetTokens(ctx context.Context) error {
	now := s.clock.Now()
	var expired []*tokenRecord
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		for r, err := range s.tokens.All(tx) {
			if err != nil {
				return err
			}
			if !now.Before(r.Expires) {
				expired = append(expired, r)
			}
		}
		return nil
	})
	if err != nil || len(expired) == 0 {
		return err
	}
	return s.store.Update(ctx, func(tx store.Tx) error {
		for _, r := range expired {
			now, err := s.tokens.Get(tx, r.Account, r.Region, r.Token)
			if err != nil {
				return err
			}
			if now == nil || !now.Expires.Equal(r.Expires) {
				continue // taken again meanwhile
			}
			if err := s.tokens.Delete(tx, r.Account, r.Region, r.Token); err != nil {
				return err
			}
		}
		return nil
	})
}

// replayUsage is what a replayed transaction consumes: reads of its items.
func (s *Service) replayUsage(ctx context.Context, asked *string, writes []*write) ([]dynamodbapi.ConsumedCapacity, error) {
	used := usages{transaction: "read"}
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		for _, w := range writes {
			it, err := read(tx, w.table.itemKey(w.key))
			if err != nil {
				return err
			}
			used.of(w.table).on(nil, transactional*readUnits(it.Size(), true))
		}
		return nil
	})
	return used.report(asked), err
}

// digest identifies the actions of a transaction, whatever the order of their
// maps.
func digest(intents []*intent) string {
	h := sha256.New()
	for _, n := range intents {
		put(h, string(rune('0'+n.kind)), wire.Val(n.table), optional(n.params.update), optional(n.params.condition), wire.Val(n.onFailure))
		put(h, string(attr.AppendItem(nil, n.key)), string(attr.AppendItem(nil, n.params.values)))
		for _, name := range slices.Sorted(maps.Keys(n.params.names)) {
			put(h, name, n.params.names[name])
		}
		put(h, "end")
	}
	return base64.RawStdEncoding.EncodeToString(h.Sum(nil))
}

// put writes texts so that no two lists of them look alike.
func put(h hash.Hash, texts ...string) {
	for _, t := range texts {
		h.Write(binary.AppendUvarint(nil, uint64(len(t))))
		h.Write([]byte(t))
	}
}

func optional(s *string) string {
	if s == nil {
		return ""
	}
	return "=" + *s
}

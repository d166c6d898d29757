package secretsmanager

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// ListSecrets lists the account's secrets, the oldest first unless the request
// says otherwise.
func (s *Service) ListSecrets(ctx context.Context, in *secretsmanagerapi.ListSecretsRequest) (*secretsmanagerapi.ListSecretsResponse, error) {
	found, err := s.filtered(ctx, in.Filters, wire.Val(in.IncludePlannedDeletion))
	if err != nil {
		return nil, err
	}
	order := orders[wire.Val(in.SortBy)]
	slices.SortStableFunc(found, func(a, b *secretRecord) int {
		if wire.Val(in.SortOrder) == secretsmanagerapi.SortOrderTypeDesc {
			a, b = b, a
		}
		return order(a, b)
	})
	out := &secretsmanagerapi.ListSecretsResponse{SecretList: []secretsmanagerapi.SecretListEntry{}}
	found, out.NextToken, err = page(found, in.NextToken, in.MaxResults)
	for _, rec := range found {
		out.SecretList = append(out.SecretList, rec.entry())
	}
	return out, err
}

var orders = map[string]func(a, b *secretRecord) int{
	"":                                      func(a, b *secretRecord) int { return a.Created.Compare(b.Created) },
	secretsmanagerapi.SortByTypeCreatedDate: func(a, b *secretRecord) int { return a.Created.Compare(b.Created) },
	secretsmanagerapi.SortByTypeLastAccessedDate: func(a, b *secretRecord) int { return a.Accessed.Compare(b.Accessed) },
	secretsmanagerapi.SortByTypeLastChangedDate:  func(a, b *secretRecord) int { return a.Changed.Compare(b.Changed) },
	secretsmanagerapi.SortByTypeName:             func(a, b *secretRecord) int { return cmp.Compare(a.Name, b.Name) },
}

// filtered are the caller's secrets that pass all filters.
func (s *Service) filtered(ctx context.Context, filters []secretsmanagerapi.Filter, deleted bool) ([]*secretRecord, error) {
	c := wire.CallerFrom(ctx)
	for _, f := range filters {
		if f.Key == nil || len(f.Values) == 0 {
			return nil, invalidParameter("You must provide a key and at least one value for each filter.")
		}
	}
	var found []*secretRecord
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		found = nil
		for rec, err := range secrets.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			if s.isGone(rec) || !deleted && !rec.Deletion.IsZero() {
				continue
			}
			if !slices.ContainsFunc(filters, func(f secretsmanagerapi.Filter) bool { return !rec.passes(f) }) {
				found = append(found, rec)
			}
		}
		return nil
	})
	return found, err
}

// passes reports whether one of a filter's values fits; "!" turns one around.
func (rec *secretRecord) passes(f secretsmanagerapi.Filter) bool {
	return slices.ContainsFunc(f.Values, func(value string) bool {
		wanted, not := strings.CutPrefix(value, "!")
		return rec.fits(*f.Key, wanted) != not
	})
}

// fits tries one value: names and tags must begin with it, of descriptions and
// of everything its words must be found, in any case (API Reference: Filter).
func (rec *secretRecord) fits(key, value string) bool {
	begins := func(text string) bool { return strings.HasPrefix(text, value) }
	switch key {
	case secretsmanagerapi.FilterNameStringTypeName:
		return begins(rec.Name)
	case secretsmanagerapi.FilterNameStringTypeDescription:
		return hasWords(value, rec.Description)
	case secretsmanagerapi.FilterNameStringTypeTagKey:
		return slices.ContainsFunc(rec.Tags, func(t secretsmanagerapi.Tag) bool { return begins(*t.Key) })
	case secretsmanagerapi.FilterNameStringTypeTagValue:
		return slices.ContainsFunc(rec.Tags, func(t secretsmanagerapi.Tag) bool { return begins(*t.Value) })
	case secretsmanagerapi.FilterNameStringTypeAll:
		texts := []string{rec.Name, rec.Description}
		for _, t := range rec.Tags {
			texts = append(texts, *t.Key, *t.Value)
		}
		return hasWords(value, texts...)
	}
	return false // nothing is replicated, and no service owns a secret
}

// hasWords reports whether each word of wanted begins a word of the texts.
func hasWords(wanted string, texts ...string) bool {
	split := func(text string) []string {
		return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	have := split(strings.Join(texts, " "))
	return !slices.ContainsFunc(split(wanted), func(word string) bool {
		return !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, word) })
	})
}

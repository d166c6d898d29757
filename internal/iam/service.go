// Package iam is AWS Identity and Access Management: roles, users, groups, access
// keys and policies, and the decision whether a caller may do something.
// Package policy below it evaluates, package managed holds AWS's own policies.
package iam

import (
	"context"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Config is what New needs; every field is required.
type Config struct {
	Store store.Store
	Clock clock.Clock
	Log   *slog.Logger
}

// Service implements IAM. Records are kept by account; IAM has no regions.
type Service struct {
	Config
	seal []byte // key of the seal in access key ids

	generation atomic.Uint64 // counts changes; outdates what is below
	subjects   subjects
	keys       sync.Map // access key id to *cachedKey
	uses       sync.Map // access key id to keyUse
	documents  documents
	swept      atomic.Pointer[time.Time] // when expired keys were last cleared out
}

var (
	roles    = record.New[entity]("iam", "role")
	users    = record.New[entity]("iam", "user")
	groups   = record.New[entity]("iam", "group")
	policies = record.New[managedPolicy]("iam", "policy")
	keyring  = record.New[key]("iam", "key")
	settings = record.New[setting]("iam", "setting")
)

// New opens the service over its store.
func New(ctx context.Context, cfg Config) (*Service, error) {
	s := &Service{Config: cfg}
	seal, err := s.loadSeal(ctx)
	if err != nil {
		return nil, err
	}
	s.seal = seal
	return s, nil
}

// update runs a change and outdates everything that was compiled before it.
func (s *Service) update(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.Store.Update(ctx, fn); err != nil {
		return err
	}
	s.generation.Add(1)
	return nil
}

// now is the current time to the second, as IAM prints it.
func (s *Service) now() *time.Time {
	t := s.Clock.Now().Truncate(time.Second)
	return &t
}

func account(ctx context.Context) string { return wire.CallerFrom(ctx).Account }

func iamARN(account, kind, path, name string) string {
	return arn.New("iam", "", account, kind+path+name).String()
}

func pathOr(p *string) string {
	if p == nil || *p == "" {
		return "/"
	}
	return *p
}

func noSuch(kind, name string) error {
	return &iamapi.NoSuchEntityException{Message: wire.Ptr("The " + kind + " with name " + name + " cannot be found.")}
}

func alreadyExists(kind, name string) error {
	return &iamapi.EntityAlreadyExistsException{Message: wire.Ptr(kind + " with name " + name + " already exists.")}
}

func deleteConflict(text string) error {
	return &iamapi.DeleteConflictException{Message: wire.Ptr("Cannot delete entity, " + text)}
}

// checkDocument holds a policy document to what IAM asks of it on the way in.
func checkDocument(text string, kind policy.Kind) error {
	if _, err := policy.Parse([]byte(text), kind); err != nil {
		return &iamapi.MalformedPolicyDocumentException{Message: wire.Ptr(err.Error())}
	}
	return nil
}

// escapeDocument percent-encodes a policy document the way IAM answers it
// (API Reference: documents are URL-encoded per RFC 3986).
func escapeDocument(doc string) *string {
	escaped := strings.ReplaceAll(url.QueryEscape(doc), "+", "%20")
	return &escaped
}

// page cuts a sorted list by IAM's Marker and MaxItems (default 100, at most
// 1,000). The marker is the name of the last item of the page before.
func page[T any](items []T, name func(T) string, marker *string, max *int64) (out []T, truncated *bool, next *string) {
	if marker != nil {
		for len(items) > 0 && name(items[0]) <= *marker {
			items = items[1:]
		}
	}
	limit := 100
	if max != nil {
		limit = int(*max)
	}
	if len(items) <= limit {
		return items, wire.Ptr(false), nil
	}
	items = items[:limit]
	return items, wire.Ptr(true), wire.Ptr(name(items[limit-1]))
}

// list makes an empty answer an empty element instead of a missing one.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

var tagRemoved = regexp.MustCompile(`^aws:`)

// mergeTags applies Tag calls: new values replace those of the same key.
func mergeTags(have, add []iamapi.Tag) ([]iamapi.Tag, error) {
	out := append([]iamapi.Tag(nil), have...)
	for _, t := range add {
		if tagRemoved.MatchString(wire.Val(t.Key)) {
			return nil, &iamapi.InvalidInputException{Message: wire.Ptr("Tag keys that start with aws: are reserved for system use.")}
		}
		out = append(dropTags(out, []string{*t.Key}), t)
	}
	if len(out) > 50 {
		return nil, &iamapi.LimitExceededException{Message: wire.Ptr("Cannot exceed quota for TagsPerResource: 50")}
	}
	return out, nil
}

func dropTags(have []iamapi.Tag, keys []string) []iamapi.Tag {
	var out []iamapi.Tag
next:
	for _, t := range have {
		for _, k := range keys {
			if strings.EqualFold(*t.Key, k) {
				continue next
			}
		}
		out = append(out, t)
	}
	return out
}

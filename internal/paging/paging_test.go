package paging_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"testing"

	"github.com/butai-dev/butai/internal/paging"
)

func TestTokensComeBack(t *testing.T) {
	t.Parallel()
	for _, after := range []string{"a", "last one", "\x00\xff", "v1 "} {
		if got, err := paging.After(paging.Token(after)); err != nil || got != after {
			t.Errorf("after the token of %q: %q, %v", after, got, err)
		}
	}
	empty := ""
	for _, start := range []*string{nil, &empty} {
		if got, err := paging.After(start); err != nil || got != "" {
			t.Errorf("without a token: %q, %v", got, err)
		}
	}
}

func TestWordsAreNoTokens(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"bad", "abcd", "%", "0", base64.RawURLEncoding.EncodeToString([]byte("last one"))} {
		if got, err := paging.After(&word); !errors.Is(err, paging.ErrToken) {
			t.Errorf("%q is taken as a token of %q: %v", word, got, err)
		}
	}
	for _, inside := range []string{"-1", "two", "1 2"} {
		if part, _, err := paging.Cut([]int{1, 2, 3}, paging.Token(inside), 1); !errors.Is(err, paging.ErrToken) {
			t.Errorf("a list is cut at %q: %v, %v", inside, part, err)
		}
	}
}

func TestListsAreCut(t *testing.T) {
	t.Parallel()
	list := []int{1, 2, 3, 4, 5}
	var got [][]int
	var token *string
	for {
		part, next, err := paging.Cut(list, token, 2)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, part)
		if token = next; token == nil {
			break
		}
	}
	if !slices.EqualFunc(got, [][]int{{1, 2}, {3, 4}, {5}}, slices.Equal) {
		t.Errorf("pages %v", got)
	}
	for _, list := range [][]int{nil, {1}} {
		if part, next, err := paging.Cut(list, paging.Token("4"), 2); part == nil || len(part) != 0 || next != nil || err != nil {
			t.Errorf("behind the end: %v, %v, %v", part, next, err)
		}
	}
}

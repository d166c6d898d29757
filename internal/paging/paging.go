// Package paging makes the opaque tokens with which a listing goes on, and reads
// them back. AWS's services call them NextToken, Marker or position, and each
// has its own words for a token that isn't one.
package paging

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// ErrToken says that a text isn't a token. Services answer it as AWS does.
var ErrToken = errors.New("paging: not a token of ours")

// form is what every token begins with inside: without it many a short word
// would be a token.
const form = "v1 "

// Token returns the token of the page behind after.
func Token(after string) *string {
	token := base64.RawURLEncoding.EncodeToString([]byte(form + after))
	return &token
}

// After returns what Token was given. No token, or an empty one, is the start.
func After(token *string) (after string, err error) {
	if token == nil || *token == "" {
		return "", nil
	}
	inside, err := base64.RawURLEncoding.DecodeString(*token)
	after, ok := strings.CutPrefix(string(inside), form)
	if err != nil || !ok {
		return "", ErrToken
	}
	return after, nil
}

// Cut returns the page of at most size items that token tells of, never nil,
// and the token of the next one if there is one. It is for lists that are made
// anew for each call: a token is a number of items, and a list that has become
// shorter than that is at its end.
func Cut[T any](list []T, token *string, size int) (part []T, next *string, err error) {
	from := 0
	after, err := After(token)
	if err == nil && after != "" {
		from, err = strconv.Atoi(after)
	}
	if err != nil || from < 0 {
		return nil, nil, ErrToken
	}
	from = min(from, len(list))
	to := min(from+size, len(list))
	if to < len(list) {
		next = Token(strconv.Itoa(to))
	}
	return append([]T{}, list[from:to]...), next, nil
}

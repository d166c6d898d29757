package secretsmanager

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
)

const defaultPasswordLength = 32

// GetRandomPassword makes a password of the kinds of characters that aren't
// excluded, by default with at least one of each.
func (s *Service) GetRandomPassword(_ context.Context, in *secretsmanagerapi.GetRandomPasswordRequest) (*secretsmanagerapi.GetRandomPasswordResponse, error) {
	length, each := defaultPasswordLength, true
	if in.PasswordLength != nil {
		length = int(*in.PasswordLength)
	}
	if in.RequireEachIncludedType != nil {
		each = *in.RequireEachIncludedType
	}
	var kinds []string
	for _, kind := range []struct {
		characters string
		left       bool
	}{
		{"abcdefghijklmnopqrstuvwxyz", wire.Val(in.ExcludeLowercase)},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", wire.Val(in.ExcludeUppercase)},
		{"0123456789", wire.Val(in.ExcludeNumbers)},
		{"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", wire.Val(in.ExcludePunctuation)},
		{" ", !wire.Val(in.IncludeSpace)},
	} {
		characters := strings.Map(func(r rune) rune {
			if strings.ContainsRune(wire.Val(in.ExcludeCharacters), r) {
				return -1
			}
			return r
		}, kind.characters)
		if !kind.left && characters != "" {
			kinds = append(kinds, characters)
		}
	}
	switch {
	case len(kinds) == 0:
		return nil, invalidParameter("No characters are left that the password could be made of.")
	case each && length < len(kinds):
		return nil, invalidParameter("The password length is too short based on the required types.")
	}
	return &secretsmanagerapi.GetRandomPasswordResponse{RandomPassword: wire.Ptr(password(kinds, length, each))}, nil
}

// password draws characters of the kinds, if each is set one of each at least.
func password(kinds []string, length int, each bool) string {
	var out []byte
	if each {
		for _, kind := range kinds {
			out = append(out, kind[below(len(kind))])
		}
	}
	all := strings.Join(kinds, "")
	for len(out) < length {
		out = append(out, all[below(len(all))])
	}
	for i := len(out) - 1; i > 0; i-- { // the first ones shall not tell their kinds
		j := below(i + 1)
		out[i], out[j] = out[j], out[i]
	}
	return string(out)
}

// below is a uniform random number less than n, which is at most 65536.
func below(n int) int {
	limit := 1 << 16 / n * n
	for {
		b := ident.Bytes(2)
		if v := int(b[0])<<8 | int(b[1]); v < limit {
			return v % n
		}
	}
}

package kms

import (
	"encoding/base64"
	"strconv"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// page cuts a page out of a listing; the marker is the place of its next one.
func page[T any](list []T, marker *string, limit *int64, usual int) (part []T, next *string, more *bool, err error) {
	from, size := 0, usual
	if limit != nil {
		size = int(*limit)
	}
	if marker != nil {
		text, err := base64.StdEncoding.DecodeString(*marker)
		if err == nil {
			from, err = strconv.Atoi(string(text))
		}
		if err != nil || from < 0 || from > len(list) {
			return nil, nil, nil, &kmsapi.InvalidMarkerException{Message: wire.Ptr("Could not deserialize marker '" + *marker + "'")}
		}
	}
	list = list[from:]
	if len(list) <= size {
		return list, nil, wire.Ptr(false), nil
	}
	return list[:size], wire.Ptr(base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(from + size)))), wire.Ptr(true), nil
}

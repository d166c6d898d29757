package gateway

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"
)

// contentHandling says how a payload changes between text and binary on its
// way through (developer guide, "Content type conversions in API Gateway").
type contentHandling string

// The two conversions; the empty one leaves it to the media types.
const (
	convertToText   contentHandling = "CONVERT_TO_TEXT"
	convertToBinary contentHandling = "CONVERT_TO_BINARY"
)

// replacement stands for what is not UTF-8 in a text.
var replacement = []byte("\ufffd")

var errNotBase64 = errors.New("the text is not base64")

func parseContentHandling(s string) (contentHandling, error) {
	switch h := contentHandling(s); h {
	case "", convertToText, convertToBinary:
		return h, nil
	}
	return "", fmt.Errorf("Invalid content handling strategy: %s", s)
}

// forRequest converts a request's body. isBinary tells that its media type is
// one of the API's binary types. The second result reports whether what comes
// out is binary, which no template can read.
func (h contentHandling) forRequest(body []byte, isBinary bool) ([]byte, bool, error) {
	switch {
	case isBinary && h == convertToText:
		return encodeBase64(body), false, nil
	case isBinary:
		return body, true, nil
	case h == convertToBinary:
		out, err := decodeBase64(body)
		return out, true, err
	case !utf8.Valid(body):
		return bytes.ToValidUTF8(body, replacement), false, nil
	}
	return body, false, nil
}

func encodeBase64(b []byte) []byte {
	return base64.StdEncoding.AppendEncode(nil, b)
}

// decodeBase64 also takes the text in the quotes of a JSON string, which is
// how a function returns it.
func decodeBase64(b []byte) ([]byte, error) {
	out, err := base64.StdEncoding.AppendDecode(nil, bytes.Trim(b, "\" \r\n\t"))
	if err != nil {
		return nil, errNotBase64
	}
	return out, nil
}

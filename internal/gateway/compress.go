package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strconv"
	"strings"
)

// noCompression is a stage's compressFrom when the API has no
// minimumCompressionSize.
const noCompression = -1

// Payload compression (developer guide, "Payload compression for REST APIs in
// API Gateway") happens at the gateway's edge: templates and functions see
// plain bodies in both directions.

// decompress undoes the Content-Encoding of the request's body, whether or not
// the API compresses answers.
func (x *exchange) decompress() *failure {
	if len(x.body) == 0 {
		return nil
	}
	var r io.ReadCloser
	var err error
	switch strings.ToLower(one(x.r.Header, "Content-Encoding")) {
	case "", "identity":
		return nil
	case "gzip":
		r, err = gzip.NewReader(bytes.NewReader(x.body))
	case "deflate":
		r, err = zlib.NewReader(bytes.NewReader(x.body))
	default:
		return unsupportedMediaType()
	}
	if err != nil {
		return unsupportedMediaType()
	}
	body, err := io.ReadAll(io.LimitReader(r, maxPayload+1))
	switch {
	case err != nil:
		return unsupportedMediaType()
	case len(body) > maxPayload:
		return requestTooLarge()
	}
	x.body = body
	return nil
}

// compress encodes the answer's body if it is large enough, the client names
// an encoding, and the integration did not encode it already.
func (x *exchange) compress() error {
	if x.st == nil || x.st.compressFrom == noCompression || len(x.answer.body) < x.st.compressFrom || len(x.answer.body) == 0 {
		return nil
	}
	if one(x.answer.header, "Content-Encoding") != "" {
		return nil
	}
	var out bytes.Buffer
	var w io.WriteCloser
	encoding := acceptedEncoding(one(x.r.Header, "Accept-Encoding"))
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	default:
		return nil
	}
	if _, err := w.Write(x.answer.body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	x.answer.body = out.Bytes()
	x.answer.header["Content-Encoding"] = []string{encoding}
	return nil
}

// acceptedEncoding is the encoding that the client prefers, if we have it:
// where it prefers another one, answers stay as they are. "*" names none.
func acceptedEncoding(accept string) string {
	best, weight := "", 0.0
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(strings.ToLower(strings.TrimSpace(part)), ";")
		q := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			if parsed, err := strconv.ParseFloat(text, 64); err == nil {
				q = parsed
			}
		}
		name = strings.TrimSpace(name)
		if q > weight || q == weight && q > 0 && !isEncoding(best) && isEncoding(name) {
			best, weight = name, q
		}
	}
	if !isEncoding(best) {
		return ""
	}
	return best
}

func isEncoding(name string) bool { return name == "gzip" || name == "deflate" }

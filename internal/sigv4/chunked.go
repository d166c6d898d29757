package sigv4

import (
	"bufio"
	"crypto/sha256"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// The values of x-amz-content-sha256 that are not a hash.
const (
	unsignedPayload          = "UNSIGNED-PAYLOAD"
	streamingSigned          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamingSignedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	streamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Limits against bodies made to be expensive: lines are short, and trailers
// carry a checksum and a signature.
const (
	maxLine     = 4096
	maxTrailers = 16
)

// checkedBody wraps r.Body for the declared payload hash.
func checkedBody(r *http.Request, s *Signature, key *signingKey, declared string) io.ReadCloser {
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	switch declared {
	case unsignedPayload:
		return body
	case streamingSigned, streamingSignedTrailer, streamingUnsignedTrailer:
		c := &ChunkedBody{
			source: body, in: bufio.NewReaderSize(body, maxLine), wantLength: -1,
			trailer: declared != streamingSigned, signed: declared != streamingUnsignedTrailer,
			key: key, previous: s.signature, date: s.date, scope: s.Scope.string(), sum: sha256.New(),
		}
		if n, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64); err == nil {
			c.wantLength = n
		}
		return c
	}
	return &hashedBody{source: body, want: declared, sum: sha256.New()}
}

// hashedBody compares the whole body's hash at its end.
type hashedBody struct {
	source io.ReadCloser
	want   string
	sum    hash.Hash
}

func (b *hashedBody) Read(p []byte) (int, error) {
	n, err := b.source.Read(p)
	b.sum.Write(p[:n])
	if err == io.EOF && hexSum(b.sum) != b.want {
		err = payloadMismatch()
	}
	return n, err
}

func (b *hashedBody) Close() error { return b.source.Close() }

// ChunkedBody decodes an aws-chunked body: chunks of "SIZE;chunk-signature=…"
// and data, an empty one at the end, then perhaps trailing headers (S3 API
// Reference, "Signature Calculations … Transferring Payload in Multiple
// Chunks"). Each signature covers the one before it, starting from the
// request's.
type ChunkedBody struct {
	source     io.ReadCloser
	in         *bufio.Reader
	wantLength int64 // x-amz-decoded-content-length, -1 if not given
	length     int64
	trailer    bool // trailing headers follow the last chunk
	signed     bool
	trailers   http.Header

	key         *signingKey
	previous    string
	date, scope string
	sum         hash.Hash
	signature   string // of the chunk being read
	left        int64  // bytes left in it
	err         error
}

// Trailer returns the trailing headers, such as x-amz-checksum-crc32. It is
// complete once Read has returned io.EOF.
func (c *ChunkedBody) Trailer() http.Header { return c.trailers }

// Close closes the request's body.
func (c *ChunkedBody) Close() error { return c.source.Close() }

// Read gives decoded bytes. io.EOF comes only after everything was verified.
func (c *ChunkedBody) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for c.err == nil && c.left == 0 {
		c.err = c.nextChunk()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.left)])
	c.sum.Write(p[:n])
	c.left -= int64(n)
	c.length += int64(n)
	if err == nil && c.left == 0 {
		err = c.endChunk()
	}
	if err == io.EOF {
		err = malformedBody("the body ended inside a chunk")
	}
	c.err = err
	return n, err
}

// nextChunk reads the line in front of a chunk. For the last, empty chunk it
// also reads what follows and returns io.EOF if all is well.
func (c *ChunkedBody) nextChunk() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	c.left, err = strconv.ParseInt(strings.TrimSpace(size), 16, 64)
	if err != nil || c.left < 0 {
		return malformedBody("a chunk has no size")
	}
	if c.signed {
		var ok bool
		if c.signature, ok = strings.CutPrefix(extension, "chunk-signature="); !ok {
			return malformedBody("a chunk has no signature")
		}
	}
	if c.left > 0 {
		return nil
	}
	if err := c.verifyChunk(); err != nil {
		return err
	}
	return c.finish()
}

// endChunk verifies a chunk whose data has been read, and skips the line end.
func (c *ChunkedBody) endChunk() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	if line != "" {
		return malformedBody("a chunk is longer than its size")
	}
	return c.verifyChunk()
}

func (c *ChunkedBody) verifyChunk() error {
	if !c.signed {
		return nil
	}
	err := c.verify("AWS4-HMAC-SHA256-PAYLOAD", emptyHash+"\n"+hexSum(c.sum), c.signature)
	c.sum.Reset()
	return err
}

// verify checks one signature of the chain and goes on from it.
func (c *ChunkedBody) verify(name, content, signature string) error {
	text := name + "\n" + c.date + "\n" + c.scope + "\n" + c.previous + "\n" + content
	if !c.key.signed([]byte(text), signature) {
		return &Error{Kind: KindMismatch, Message: s3Mismatch}
	}
	c.previous = signature
	return nil
}

// finish reads the trailing headers, if any, and checks the length.
func (c *ChunkedBody) finish() error {
	var content strings.Builder
	signature := ""
	c.trailers = http.Header{}
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !c.trailer || len(c.trailers) == maxTrailers {
			return malformedBody("unexpected text behind the last chunk")
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if name == "x-amz-trailer-signature" {
			signature = value
			continue
		}
		c.trailers.Add(name, value)
		content.WriteString(name + ":" + value + "\n")
	}
	if c.trailer && c.signed {
		if err := c.verify("AWS4-HMAC-SHA256-TRAILER", hexHash(content.String()), signature); err != nil {
			return err
		}
	}
	if c.wantLength >= 0 && c.wantLength != c.length {
		return malformedBody("the body is not as long as x-amz-decoded-content-length says")
	}
	return io.EOF
}

// line reads up to CRLF. The end of the input counts as an empty line where
// the last one may be left off.
func (c *ChunkedBody) line() (string, error) {
	b, err := c.in.ReadSlice('\n')
	switch {
	case err == io.EOF && c.trailers != nil && len(b) == 0:
		return "", nil
	case err == io.EOF:
		return "", malformedBody("the body ended early")
	case err == bufio.ErrBufferFull:
		return "", malformedBody("a line is too long")
	case err != nil:
		return "", err
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func malformedBody(what string) error {
	return &Error{Kind: KindMalformedBody, Message: "You did not provide the number of bytes specified by the Content-Length HTTP header: " + what}
}

func payloadMismatch() error {
	return &Error{Kind: KindPayloadMismatch, Message: "The provided 'x-amz-content-sha256' header does not match what was computed."}
}

package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// maxPrelude is how much of a function's stream may come before the end of its
// metadata, in bytes.
const maxPrelude = 16 << 10

// preludeEnd is what follows the metadata.
var preludeEnd = make([]byte, 8)

var errPrelude = errors.New("malformed metadata of a streamed Lambda proxy response")

// preludeReader takes what a function streams: metadata in JSON, 8 null bytes
// and the body (developer guide, "Set up a Lambda proxy integration with
// payload response streaming in API Gateway").
type preludeReader struct {
	*stream
	head []byte // what has come of the metadata
	err  error
}

var _ AnswerStream = (*preludeReader)(nil)

// Begin implements AnswerStream. Functions may name any media type.
func (*preludeReader) Begin(string) {}

// Write implements AnswerStream.
func (p *preludeReader) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	if p.begun {
		return p.stream.Write(b)
	}
	p.head = append(p.head, b...)
	metadata, body, whole := bytes.Cut(p.head, preludeEnd)
	switch {
	case whole && len(metadata) <= maxPrelude:
		p.err = p.answer(metadata)
	case len(p.head) > maxPrelude:
		p.err = errPrelude
	}
	if p.err != nil || !p.begun || len(body) == 0 {
		return len(b), p.err
	}
	if _, err := p.stream.Write(body); err != nil {
		return 0, err
	}
	return len(b), nil
}

// answer begins the answer that the metadata describes.
func (p *preludeReader) answer(metadata []byte) error {
	res := &proxyResponse{status: http.StatusOK}
	var cookies []string
	d := jsontext.NewDecoder(bytes.NewReader(metadata))
	err := eachMember(d, func(d *jsontext.Decoder, name string) (err error) {
		switch name {
		case "cookies":
			cookies, err = readMany(d)
			return err
		case "statusCode", "headers", "multiValueHeaders":
			return res.member(d, name)
		}
		return errPrelude
	})
	if err != nil || d.SkipValue() != io.EOF || res.status < http.StatusOK {
		return errPrelude
	}
	p.x.answer.header = make(http.Header, len(res.headers)+len(res.multi)+4)
	length := ""
	for _, f := range res.merged() {
		p.x.setStreamHeader(f.name, f.values, &length)
	}
	if cookies != nil {
		p.x.answer.header["Set-Cookie"] = append(p.x.answer.header["Set-Cookie"], cookies...)
	}
	p.begin(res.status, length)
	return nil
}

// streamFunction is callProxy of a function that streams.
func (x *exchange) streamFunction() *failure {
	p := &preludeReader{stream: x.openStream()}
	defer p.close()
	fail := x.call(p.ctx, x.proxyEvent(), false, p)
	switch {
	case fail != nil:
	case x.inbound.isError:
		fail = malformedProxyResponse("Lambda execution failed with status 200 due to customer function error: " +
			errorMessage(x.inbound.body) + ". Lambda request id: " + x.inbound.requestID)
	case !p.begun && p.err == nil && len(x.inbound.body) > 0: // a function that doesn't stream is one piece
		_, p.err = p.Write(x.inbound.body)
	}
	if fail == nil && (p.err != nil || !p.begun) {
		fail = configurationError("Malformed Lambda proxy response")
	}
	return p.end(fail)
}

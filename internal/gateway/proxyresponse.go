package gateway

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// malformed is the log line for an answer that is not in the proxy's format.
const malformed = "Execution failed due to configuration error: Malformed Lambda proxy response"

// errMalformed is any departure from the format; the client is not told which.
var errMalformed = errors.New("malformed Lambda proxy response")

// callProxy is the AWS_PROXY integration with Lambda: the event describes the
// whole request and the function's result is the whole answer.
func (x *exchange) callProxy() *failure {
	if !x.m.function.post {
		return configurationError("Invalid integration HTTP method: Lambda functions are invoked with POST")
	}
	if x.m.streams {
		return x.streamFunction()
	}
	if fail := x.invoke(x.proxyEvent(), false); fail != nil {
		return fail
	}
	if x.inbound.isError {
		return malformedProxyResponse("Lambda execution failed with status 200 due to customer function error: " +
			errorMessage(x.inbound.body) + ". Lambda request id: " + x.inbound.requestID)
	}
	res, err := parseProxyResponse(x.inbound.body)
	if err != nil {
		return malformedProxyResponse(malformed)
	}
	body := []byte(res.body)
	if res.base64 && x.wantsBinary() {
		if body, err = base64.StdEncoding.DecodeString(res.body); err != nil {
			return malformedProxyResponse(malformed)
		}
	}
	x.answer.status, x.answer.body = res.status, body
	x.answer.header = make(http.Header, len(res.headers)+len(res.multi)+4)
	for _, f := range res.merged() {
		x.setHeader(f.name, f.values)
	}
	return nil
}

// wantsBinary tells whether the client takes a binary body: the first media
// type of its Accept is one of the API's binary types.
func (x *exchange) wantsBinary() bool {
	accept, _, _ := strings.Cut(one(x.r.Header, "Accept"), ",")
	return x.st.binary.match(accept)
}

// proxyResponse is what a function behind AWS_PROXY returns.
type proxyResponse struct {
	status         int
	headers, multi fields
	body           string
	base64         bool
}

// parseProxyResponse reads a function's result. It refuses members that the
// format does not have and values of other types than it allows (developer
// guide, "Output format of a Lambda function for proxy integration"; which
// departures give 502 is recorded).
func parseProxyResponse(payload []byte) (*proxyResponse, error) {
	p := resultReaders.Get().(*resultReader)
	defer func() {
		p.source.Reset(nil)
		resultReaders.Put(p)
	}()
	p.source.Reset(payload)
	p.Reset(&p.source, lastOfTwins)
	res := &proxyResponse{status: http.StatusOK}
	if err := eachMember(&p.Decoder, res.member); err != nil {
		return nil, err
	}
	return res, nil
}

// resultReader reads one result after the other.
type resultReader struct {
	jsontext.Decoder
	source bytes.Reader
}

var (
	resultReaders = sync.Pool{New: func() any { return new(resultReader) }}
	// Of two members of one name the last counts, as in Jackson, which AWS's
	// messages show behind it.
	lastOfTwins = jsontext.AllowDuplicateNames(true)
)

func (r *proxyResponse) member(d *jsontext.Decoder, name string) (err error) {
	switch name {
	case "statusCode":
		r.status, err = readStatus(d)
	case "headers":
		r.headers, err = readHeaders(d, readOne)
	case "multiValueHeaders":
		r.multi, err = readHeaders(d, readMany)
	case "body":
		r.body, err = readBodyText(d)
	case "isBase64Encoded":
		r.base64, err = readBool(d)
	default:
		return errMalformed
	}
	return err
}

// eachMember reads an object and calls member in front of each value.
func eachMember(d *jsontext.Decoder, member func(d *jsontext.Decoder, name string) error) error {
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return errMalformed
	}
	for {
		t, err := d.ReadToken()
		if err != nil {
			return errMalformed
		}
		if t.Kind() == '}' {
			return nil
		}
		if err := member(d, t.String()); err != nil {
			return err
		}
	}
}

// readStatus takes an integer or a string that is one.
func readStatus(d *jsontext.Decoder) (int, error) {
	t, err := d.ReadToken()
	if err != nil || t.Kind() != '0' && t.Kind() != '"' {
		return 0, errMalformed
	}
	n, err := strconv.Atoi(t.String())
	if err != nil || n < 100 || n > 599 {
		return 0, errMalformed
	}
	return n, nil
}

func readBodyText(d *jsontext.Decoder) (string, error) {
	t, err := d.ReadToken()
	if err != nil {
		return "", errMalformed
	}
	switch t.Kind() {
	case '"':
		return t.String(), nil
	case 'n':
		return "", nil
	}
	return "", errMalformed
}

func readBool(d *jsontext.Decoder) (bool, error) {
	t, err := d.ReadToken()
	if err != nil {
		return false, errMalformed
	}
	switch t.Kind() {
	case 't', 'f':
		return t.Bool(), nil
	case 'n':
		return false, nil
	}
	return false, errMalformed
}

// readHeaders reads a header map, or null for none.
func readHeaders(d *jsontext.Decoder, values func(*jsontext.Decoder) ([]string, error)) (fields, error) {
	if d.PeekKind() == 'n' {
		_, err := d.ReadToken()
		return nil, err
	}
	var f fields
	err := eachMember(d, func(d *jsontext.Decoder, name string) error {
		v, err := values(d)
		if v == nil {
			return err
		}
		if i := slices.IndexFunc(f, func(e field) bool { return e.name == name }); i >= 0 {
			f[i].values = v
			return err
		}
		f = append(f, field{name, v})
		return err
	})
	return f, err
}

// readOne reads a header's value; a null one leaves the header out.
func readOne(d *jsontext.Decoder) ([]string, error) {
	t, err := d.ReadToken()
	if err != nil {
		return nil, errMalformed
	}
	switch t.Kind() {
	case '"', '0', 't', 'f':
		return []string{t.String()}, nil
	case 'n':
		return nil, nil
	}
	return nil, errMalformed
}

func readMany(d *jsontext.Decoder) ([]string, error) {
	if t, err := d.ReadToken(); err != nil || t.Kind() != '[' {
		return nil, errMalformed
	}
	var all []string
	for d.PeekKind() != ']' {
		v, err := readOne(d)
		if err != nil {
			return nil, err
		}
		all = append(all, v...)
	}
	_, err := d.ReadToken()
	return all, err
}

// merged joins both header maps: the multi-value one first, then the single
// values that differ from those.
func (r *proxyResponse) merged() fields {
	out := r.multi
	for _, h := range r.headers {
		i := 0
		for i < len(out) && !strings.EqualFold(out[i].name, h.name) {
			i++
		}
		if i == len(out) {
			out = append(out, h)
			continue
		}
		seen := false
		for _, v := range out[i].values {
			seen = seen || v == h.values[0]
		}
		if !seen {
			out[i].values = append(out[i].values, h.values[0])
		}
	}
	return out
}

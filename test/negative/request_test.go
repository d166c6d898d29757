package negative

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
)

// tree is a request's input as JSON values by the model's member names. A
// value may be of the wrong type on purpose.
type tree = map[string]any

// message is a request before it is signed.
type message struct {
	method, path string
	query        url.Values
	header       http.Header
	body         []byte
}

// encode writes an input the way the service's protocol asks for.
func encode(m *wire.ServiceModel, op *wire.Operation, in tree) *message {
	msg := &message{method: op.Method, path: op.Path, query: url.Values{}, header: http.Header{}}
	switch m.Protocol {
	case "json":
		msg.header.Set("X-Amz-Target", m.TargetPrefix+"."+op.Name)
		msg.header.Set("Content-Type", "application/x-amz-json-"+m.JSONVersion)
		msg.body = jsonBody(m.Schema, op.Input, in)
	case "query":
		form := url.Values{"Action": {op.Name}, "Version": {m.Version}}
		if op.Input >= 0 {
			formMembers(m.Schema, op.Input, in, "", form)
		}
		msg.header.Set("Content-Type", "application/x-www-form-urlencoded")
		msg.body = []byte(form.Encode())
	default:
		restRequest(m, op, in, msg)
	}
	return msg
}

func restRequest(m *wire.ServiceModel, op *wire.Operation, in tree, msg *message) {
	for _, q := range op.Query {
		msg.query.Set(q.Key, q.Value)
	}
	if op.Input < 0 {
		return
	}
	shape := m.Schema.Shape(op.Input)
	body := tree{}
	for i := range shape.Members {
		member := &shape.Members[i]
		value, ok := in[member.Name]
		switch {
		case !ok:
		case member.Location == wire.InURI:
			msg.path = label(msg.path, member.Wire, fmt.Sprint(value))
		case member.Location == wire.InQuery:
			msg.query[member.Wire] = texts(value)
		case member.Location == wire.InHeader:
			msg.header.Set(member.Wire, strings.Join(texts(value), ","))
		case member.Location == wire.InBody:
			body[member.Name] = value
		}
	}
	switch {
	case shape.Payload >= 0:
		payload := &shape.Members[shape.Payload]
		value, ok := body[payload.Name]
		if !ok {
			return
		}
		if text, ok := value.(string); ok {
			msg.body = []byte(text)
		} else if m.Protocol == "rest-xml" {
			msg.body = xmlBody(m.Schema, payload.Wire, payload.Shape, value)
		} else {
			msg.body = jsonValue(m.Schema, payload.Shape, value)
		}
	case len(body) > 0 && m.Protocol == "rest-xml":
		msg.body = xmlBody(m.Schema, op.InputRoot, op.Input, body)
	case len(body) > 0:
		msg.body = jsonBody(m.Schema, op.Input, body)
	}
}

func label(path, name, value string) string {
	escaped := strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	path = strings.Replace(path, "{"+name+"}", escaped, 1)
	return strings.Replace(path, "{"+name+"+}", escaped, 1)
}

func texts(value any) []string {
	if list, ok := value.([]any); ok {
		out := make([]string, len(list))
		for i, v := range list {
			out[i] = fmt.Sprint(v)
		}
		return out
	}
	return []string{fmt.Sprint(value)}
}

func jsonBody(s *wire.Schema, id wire.ShapeID, in tree) []byte {
	if id < 0 {
		return []byte("{}")
	}
	return jsonValue(s, id, in)
}

func jsonValue(s *wire.Schema, id wire.ShapeID, value any) []byte {
	text, err := json.Marshal(wireNames(s, id, value))
	if err != nil {
		panic(err)
	}
	return text
}

// wireNames renames a tree's members to what they are called on the wire.
func wireNames(s *wire.Schema, id wire.ShapeID, value any) any {
	shape := s.Shape(id)
	switch v := value.(type) {
	case tree:
		out := tree{}
		for name, inner := range v {
			out[name] = inner
			if shape.Kind == wire.Map {
				out[name] = wireNames(s, shape.Value.Shape, inner)
			}
			for _, m := range shape.Members {
				if m.Name == name {
					delete(out, name)
					out[m.Wire] = wireNames(s, m.Shape, inner)
				}
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = inner
			if shape.Kind == wire.List {
				out[i] = wireNames(s, shape.Element.Shape, inner)
			}
		}
		return out
	}
	return value
}

func formMembers(s *wire.Schema, id wire.ShapeID, in tree, prefix string, form url.Values) {
	for _, m := range s.Shape(id).Members {
		if value, ok := in[m.Name]; ok {
			formValue(s, m.Ref, value, prefix+m.Wire, form)
		}
	}
}

func formValue(s *wire.Schema, ref wire.Ref, value any, name string, form url.Values) {
	shape := s.Shape(ref.Shape)
	switch v := value.(type) {
	case tree:
		formMembers(s, ref.Shape, v, name+".", form)
	case []any:
		for i, inner := range v {
			if shape.Kind == wire.List {
				formValue(s, shape.Element, inner, fmt.Sprintf("%s.member.%d", name, i+1), form)
			} else {
				form.Set(fmt.Sprintf("%s.member.%d", name, i+1), fmt.Sprint(inner))
			}
		}
	default:
		form.Set(name, fmt.Sprint(value))
	}
}

func xmlBody(s *wire.Schema, root string, id wire.ShapeID, value any) []byte {
	var b bytes.Buffer
	xmlElement(&b, s, root, id, false, value)
	return b.Bytes()
}

func xmlElement(b *bytes.Buffer, s *wire.Schema, name string, id wire.ShapeID, flat bool, value any) {
	shape := s.Shape(id)
	list, isList := value.([]any)
	if isList && shape.Kind == wire.List && (flat || shape.Flattened) {
		for _, inner := range list {
			xmlElement(b, s, name, shape.Element.Shape, false, inner)
		}
		return
	}
	b.WriteString("<" + name + ">")
	switch v := value.(type) {
	case tree:
		for _, m := range shape.Members {
			if inner, ok := v[m.Name]; ok && m.Location == wire.InBody {
				xmlElement(b, s, m.Wire, m.Shape, m.Flattened, inner)
			}
		}
	case []any:
		item := "member"
		if shape.Kind == wire.List && shape.Element.Wire != "" {
			item = shape.Element.Wire
		}
		for _, inner := range v {
			element := id
			if shape.Kind == wire.List {
				element = shape.Element.Shape
			}
			xmlElement(b, s, item, element, false, inner)
		}
	default:
		_ = xml.EscapeText(b, []byte(fmt.Sprint(v)))
	}
	b.WriteString("</" + name + ">")
}

// answer is what a client sees of an answer.
type answer struct {
	status  int
	code    string
	message string
	body    string
}

var root = sigv4.Credentials{AccessKeyID: "000000000000", SecretAccessKey: "butai"}

// send signs a message and sends it.
func (msg *message) send(t testing.TB, server string, m *wire.ServiceModel, creds sigv4.Credentials) answer {
	t.Helper()
	r := msg.request(t, server)
	if err := sigv4.Sign(context.Background(), r, msg.body, creds, m.SigningName, "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return do(t, r, m)
}

func (msg *message) request(t testing.TB, server string) *http.Request {
	t.Helper()
	target := server + msg.path
	if len(msg.query) > 0 {
		target += "?" + msg.query.Encode()
	}
	r, err := http.NewRequest(msg.method, target, bytes.NewReader(msg.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range msg.header {
		r.Header[name] = values
	}
	return r
}

func do(t testing.TB, r *http.Request, m *wire.ServiceModel) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: res.StatusCode, body: string(body)}
	if a.status >= 300 {
		a.code, a.message = readError(m, res.Header, body)
	}
	return a
}

// readError reads an error the way the service's clients do.
func readError(m *wire.ServiceModel, h http.Header, body []byte) (code, text string) {
	if strings.HasPrefix(m.Protocol, "rest-xml") || m.Protocol == "query" {
		var doc struct {
			Code    string
			Message string
			Error   struct{ Code, Message string }
		}
		_ = xml.Unmarshal(body, &doc) // a HEAD answer has no body
		if doc.Code != "" {
			return doc.Code, doc.Message
		}
		return doc.Error.Code, doc.Error.Message
	}
	var doc struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &doc) // matches the names' case loosely, as clients do
	code = doc.Type
	if header := h.Get("X-Amzn-Errortype"); header != "" {
		code = header
	}
	if _, after, ok := strings.Cut(code, "#"); ok {
		code = after
	}
	code, _, _ = strings.Cut(code, ":")
	return code, doc.Message
}

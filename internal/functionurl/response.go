package functionurl

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// response is an answer in payload format 2.0. In its place a function may
// return any other JSON, which then is the body.
type response struct {
	Status  *jsontext.Value           `json:"statusCode"`
	Headers map[string]jsontext.Value `json:"headers"`
	Body    *jsontext.Value           `json:"body"`
	Cookies []string                  `json:"cookies"`
	Base64  bool                      `json:"isBase64Encoded"`
}

// answer turns what the function returned into the HTTP answer (Developer
// Guide: "Invoking Lambda function URLs", response payload format).
func (x *exchange) answer(payload []byte) {
	var r response
	if jsontext.Value(payload).Kind() != '{' {
		x.respond(http.StatusOK, plainBody(payload))
		return
	}
	var probe struct {
		Status *jsontext.Value `json:"statusCode"`
	}
	if err := json.Unmarshal(payload, &probe, jsontext.AllowDuplicateNames(true)); err != nil || probe.Status == nil {
		x.respond(http.StatusOK, compact(payload))
		return
	}
	if err := json.Unmarshal(payload, &r, jsontext.AllowDuplicateNames(true)); err != nil {
		x.fail(http.StatusBadGateway, "", internalError)
		return
	}
	status, ok := x.head(&r)
	body, whole := r.body()
	if !ok || !whole {
		x.fail(http.StatusBadGateway, "", internalError)
		return
	}
	x.respond(status, body)
}

// head sets the headers and returns the status.
func (x *exchange) head(r *response) (status int, ok bool) {
	status, err := strconv.Atoi(text(*r.Status))
	if err != nil || status < 200 || status > 599 {
		return 0, false
	}
	h := x.w.Header()
	for name, value := range r.Headers {
		switch strings.ToLower(name) {
		case "content-length", "transfer-encoding", "connection": // the server's own business
		default:
			h.Set(name, text(value))
		}
	}
	for _, cookie := range r.Cookies {
		h.Add("Set-Cookie", cookie)
	}
	return status, true
}

func (r *response) body() (body []byte, ok bool) {
	if r.Body == nil || r.Body.Kind() == 'n' {
		return nil, true
	}
	plain := text(*r.Body)
	if !r.Base64 {
		return []byte(plain), true
	}
	decoded, err := base64.StdEncoding.DecodeString(plain)
	return decoded, err == nil
}

// plainBody is a returned value that isn't an object: a string's own text, and
// otherwise its JSON.
func plainBody(payload []byte) []byte {
	return []byte(text(compact(payload)))
}

// compact is a returned value as AWS writes it: without white space (recorded).
func compact(payload jsontext.Value) jsontext.Value {
	out := payload.Clone()
	if out.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true), jsontext.PreserveRawStrings(true)) != nil {
		return payload
	}
	return out
}

// text is a string's content, or the JSON of anything else.
func text(v jsontext.Value) string {
	if v.Kind() != '"' {
		return string(v)
	}
	plain, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return string(v)
	}
	return string(plain)
}

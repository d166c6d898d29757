package vtl

import "github.com/butai-dev/butai/internal/gateway/value"

// payload is the body as a rendering reads it.
type payload struct {
	doc    *value.Document // nil until the body is parsed
	root   Value
	broken bool // the body could not be parsed
}

var emptyBody = []byte("{}")

// document is the parsed payload; false means that it could not be parsed.
func (st *state) document() (Value, bool) {
	p := &st.payload
	if p.doc == nil {
		body := st.env.body
		if len(body) == 0 {
			body = emptyBody
		}
		p.doc = value.BorrowDocument()
		var err error
		p.root, err = p.doc.Parse(body)
		p.broken = err != nil
	}
	return p.root, !p.broken
}

// appendBody appends the payload as compact JSON, if that can be done without
// parsing it. A payload that was parsed may have been changed.
func (st *state) appendBody(dst []byte) ([]byte, bool) {
	if st.payload.doc != nil {
		return dst, false
	}
	return value.AppendCompact(dst, st.env.body)
}

// release lets another rendering use the document's memory, unless a value of
// the document can have got to where it outlives this one: into an override, a
// variable of the caller or a trace.
func (p *payload) release(env *Env) {
	if p.doc != nil && env.requestOver == nil && env.responseOver == nil && env.Vars == nil && env.Trace == nil {
		p.doc.Return()
	}
}

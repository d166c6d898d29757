package rest

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/butai-dev/butai/internal/wire"
)

// Bound is where the members of an input go that don't travel in the body.
type Bound struct {
	Path   string // escaped, with the query
	Header http.Header
}

// Bind writes the labels, query parameters and headers of in, for a client.
func Bind(s *wire.Schema, op *wire.Operation, in any) Bound {
	b := Bound{Path: op.Path, Header: http.Header{}}
	query := url.Values{}
	for _, q := range op.Query {
		query.Set(q.Key, q.Value)
	}
	rv := reflect.ValueOf(in).Elem()
	for i := range s.Shape(op.Input).Members {
		m := &s.Shape(op.Input).Members[i]
		field := rv.Field(i)
		if field.IsNil() {
			continue
		}
		switch m.Location {
		case wire.InURI:
			b.Path = strings.Replace(b.Path, "{"+m.Wire+"}", url.PathEscape(headerText(s, m.Ref, field)), 1)
			b.Path = strings.Replace(b.Path, "{"+m.Wire+"+}", (&url.URL{Path: headerText(s, m.Ref, field)}).EscapedPath(), 1)
		case wire.InQuery:
			bindQuery(s, m, field, query)
		case wire.InHeader:
			b.Header[http.CanonicalHeaderKey(m.Wire)] = []string{headerText(s, m.Ref, field)}
		case wire.InHeaders:
			for it := field.MapRange(); it.Next(); {
				b.Header.Set(m.Wire+it.Key().String(), it.Value().String())
			}
		}
	}
	if len(query) > 0 {
		b.Path += "?" + query.Encode()
	}
	return b
}

func bindQuery(s *wire.Schema, m *wire.Member, field reflect.Value, query url.Values) {
	switch s.Shape(m.Shape).Kind {
	case wire.List:
		for i := range field.Len() {
			query.Add(m.Wire, field.Index(i).String())
		}
	case wire.Map:
		for it := field.MapRange(); it.Next(); {
			query.Set(it.Key().String(), it.Value().String())
		}
	default:
		query.Set(m.Wire, headerText(s, m.Ref, field))
	}
}

// Package rest binds HTTP messages to shapes for the two REST protocols: it
// finds the operation by method, path and literal query, and moves members
// to and from labels, headers and the query string.
package rest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/butai-dev/butai/internal/wire"
)

// route is one operation's address, prepared for matching.
type route struct {
	op       *wire.Operation
	segments []segment
	literals int // segments that are fixed text
	required []requiredMember
}

type segment struct {
	text   string // fixed text, or the label's name
	label  bool
	greedy bool
}

// requiredMember is a required header or query parameter: it tells apart
// operations that share an address, such as S3's PutObject and UploadPart.
type requiredMember struct {
	name  string
	query bool
}

var tables sync.Map // *wire.ServiceModel to table

// table is the routes of a service by their method, the most specific first.
type table map[string][]route

func tableOf(m *wire.ServiceModel) table {
	if cached, ok := tables.Load(m); ok {
		return cached.(table)
	}
	routes := make([]route, len(m.Operations))
	for i := range m.Operations {
		routes[i] = newRoute(m, &m.Operations[i])
	}
	slices.SortStableFunc(routes, func(a, b route) int {
		return cmp.Or(
			cmp.Compare(len(b.op.Query), len(a.op.Query)),
			cmp.Compare(b.literals, a.literals),
			cmp.Compare(len(b.required), len(a.required)),
			cmp.Compare(len(b.segments), len(a.segments)),
			cmp.Compare(b.op.Name, a.op.Name), // GetBucketLifecycleConfiguration before its deprecated twin
		)
	})
	byMethod := table{}
	for _, rt := range routes {
		byMethod[rt.op.Method] = append(byMethod[rt.op.Method], rt)
	}
	cached, _ := tables.LoadOrStore(m, byMethod)
	return cached.(table)
}

func newRoute(m *wire.ServiceModel, op *wire.Operation) route {
	r := route{op: op}
	for text := range strings.SplitSeq(strings.Trim(op.Path, "/"), "/") {
		if !strings.HasPrefix(text, "{") {
			r.segments = append(r.segments, segment{text: text})
			r.literals++
			continue
		}
		name := strings.Trim(text, "{}")
		name, greedy := strings.CutSuffix(name, "+")
		r.segments = append(r.segments, segment{text: name, label: true, greedy: greedy})
	}
	if op.Input >= 0 {
		for _, member := range m.Schema.Shape(op.Input).Members {
			if member.Required && (member.Location == wire.InQuery || member.Location == wire.InHeader) {
				r.required = append(r.required, requiredMember{name: member.Wire, query: member.Location == wire.InQuery})
			}
		}
	}
	return r
}

// Identify finds the operation that the request addresses and sets the
// request's labels. Operations that share an address are told apart by their
// required headers and query parameters, then by being built.
func Identify(m *wire.ServiceModel, r *wire.Request, built func(*wire.Operation) bool) (*wire.Operation, *wire.Error) {
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	query := r.Query()
	var best *route
	routes := tableOf(m)[r.Method]
	for i := range routes {
		rt := &routes[i]
		if !rt.fits(path) || !rt.queryMatches(query) {
			continue
		}
		labels, ok := rt.labels(path)
		if !ok {
			continue
		}
		if best != nil && !rt.sameAddress(best) {
			break
		}
		if best == nil || rt.betterThan(best, r, query, built) {
			best, r.Labels = rt, labels
		}
	}
	if best == nil {
		return nil, &wire.Error{Code: "UnknownOperationException", Status: http.StatusNotFound, Message: "No operation of " + m.ID + " is at " + r.Method + " " + r.URL.Path}
	}
	return best.op, nil
}

// betterThan compares two routes at one address; other comes earlier in the
// table and asks for at least as many required members.
func (rt *route) betterThan(other *route, r *wire.Request, query url.Values, built func(*wire.Operation) bool) bool {
	if !other.hasRequired(r, query) {
		return true
	}
	return len(rt.required) == len(other.required) && rt.hasRequired(r, query) && !built(other.op) && built(rt.op)
}

func (rt *route) sameAddress(other *route) bool {
	return rt.literals == other.literals && len(rt.segments) == len(other.segments) && len(rt.op.Query) == len(other.op.Query)
}

func (rt *route) queryMatches(query url.Values) bool {
	for _, q := range rt.op.Query {
		v, ok := query[q.Key]
		if !ok || q.Value != "" && v[0] != q.Value {
			return false
		}
	}
	return true
}

func (rt *route) hasRequired(r *wire.Request, query url.Values) bool {
	for _, m := range rt.required {
		if m.query && !query.Has(m.name) || !m.query && r.Header.Get(m.name) == "" {
			return false
		}
	}
	return true
}

// fits compares escaped path segments with the template, but for the labels:
// that is cheap and rules out nearly all routes. A trailing slash is ignored.
func (rt *route) fits(path []string) bool {
	for i := range rt.segments {
		seg := &rt.segments[i]
		if i >= len(path) {
			return false
		}
		if seg.greedy {
			return true
		}
		if !seg.label && path[i] != seg.text {
			return false
		}
	}
	rest := path[len(rt.segments):]
	return len(rest) == 0 || len(rest) == 1 && rest[0] == ""
}

// labels decodes the segments of a path that fits; an empty label matches
// nothing.
func (rt *route) labels(path []string) (wire.Labels, bool) {
	labels := make(wire.Labels, 0, len(rt.segments)-rt.literals)
	for i := range rt.segments {
		seg := &rt.segments[i]
		if !seg.label {
			continue
		}
		text := path[i]
		if seg.greedy {
			text = strings.Join(path[i:], "/")
		}
		value, err := url.PathUnescape(text)
		if err != nil || value == "" {
			return nil, false
		}
		labels = append(labels, wire.Label{Name: seg.text, Value: value})
	}
	return labels, true
}

package openapi

import (
	"cmp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// place is what a documentation part is looked up for.
type place struct{ kind, path, method, statusCode, name string }

func (p place) of(kind, statusCode, name string) place {
	p.kind, p.statusCode, p.name = kind, statusCode, name
	return p
}

// documentNode adds to n what the documentation says of the entity at a
// place. Members that n has already are replaced.
func (e *exporter) documentNode(n *node, at place) {
	part := e.part(at)
	if part == nil {
		return
	}
	properties, err := parseJSON([]byte(wire.Val(part.Properties)))
	if err != nil {
		return
	}
	for key, v := range properties.fields() {
		n.set(key, v)
	}
}

// documentInfo adds what the documentation says of the API itself.
func (e *exporter) documentInfo(info *node) {
	about := newObject()
	e.documentNode(about, place{kind: "API"})
	for key, v := range about.get("info").fields() {
		if key != "title" && key != "version" {
			info.set(key, v)
		}
	}
}

// part finds the documentation part for a place. Methods, status codes and
// paths above stand for those that have no part of their own (developer
// guide, "Documentation parts", inheritance); the nearest one counts.
func (e *exporter) part(at place) *apigatewayapi.DocumentationPart {
	var best *apigatewayapi.DocumentationPart
	bestRank := -1
	for i := range e.Source.Documentation {
		part := &e.Source.Documentation[i]
		l := part.Location
		if wire.Val(l.Type) != at.kind || wire.Val(l.Name) != at.name {
			continue
		}
		path := strings.TrimSuffix(cmp.Or(wire.Val(l.Path), "/"), "/")
		above := path == "" || at.path == path || strings.HasPrefix(at.path, path+"/")
		if !above || !covers(l.Method, at.method) || !covers(l.StatusCode, at.statusCode) {
			continue
		}
		rank := 4 * len(path)
		if wire.Val(l.Method) == at.method {
			rank += 2
		}
		if wire.Val(l.StatusCode) == at.statusCode {
			rank++
		}
		if rank > bestRank {
			best, bestRank = part, rank
		}
	}
	return best
}

func covers(pattern *string, value string) bool {
	p := wire.Val(pattern)
	return p == value || p == "*"
}

// comparePlaces orders parts by location.
func comparePlaces(a, b apigatewayapi.DocumentationPart) int {
	l, m := a.Location, b.Location
	return cmp.Or(
		cmp.Compare(wire.Val(l.Path), wire.Val(m.Path)), cmp.Compare(wire.Val(l.Type), wire.Val(m.Type)),
		cmp.Compare(wire.Val(l.Method), wire.Val(m.Method)), cmp.Compare(wire.Val(l.StatusCode), wire.Val(m.StatusCode)),
		cmp.Compare(wire.Val(l.Name), wire.Val(m.Name)))
}

// documentationNode is the whole documentation as the extension that makes it.
func (e *exporter) documentationNode() *node {
	if len(e.Source.Documentation) == 0 {
		return nil
	}
	parts := &node{kind: list}
	for _, part := range slices.SortedFunc(slices.Values(e.Source.Documentation), comparePlaces) {
		l := part.Location
		properties, err := parseJSON([]byte(wire.Val(part.Properties)))
		if err != nil {
			continue // checked when it was stored
		}
		location := newObject().setText("type", l.Type).setText("path", l.Path).setText("method", l.Method).
			setText("statusCode", l.StatusCode).setText("name", l.Name)
		parts.items = append(parts.items, newObject().set("location", location).set("properties", properties))
	}
	n := newObject()
	if v := e.DocumentationVersion; v != nil {
		n.setText("version", v.Version)
		if v.CreatedDate != nil {
			n.set("createdDate", textNode(v.CreatedDate.UTC().Format("2006-01-02T15:04:05Z")))
		}
	}
	return n.set("documentationParts", parts)
}

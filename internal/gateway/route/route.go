// Package route finds the method of an API that serves a request path. It is
// pure: no I/O, nothing of ours. Only package gateway uses it.
package route

import (
	"fmt"
	"strings"
)

// Any is the verb of a method that serves every verb without a method of its
// own on the same resource.
const Any = "ANY"

// anyVerbs are the verbs that ANY stands for (developer guide, "Set up a
// method using the API Gateway console").
var anyVerbs = [...]string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// Route is one (resource, method) of an API.
type Route[T any] struct {
	Path   string // the resource's template path, such as /user/{id} or /{proxy+}
	Method string // a verb or ANY
	Value  T
}

// Param is a path variable's value, as sent: not URL-decoded.
type Param struct {
	Name, Value string
}

// Router finds routes. It is immutable and safe for concurrent use.
type Router[T any] struct {
	root node[T]
}

// node is a resource: the last segment of a template path.
type node[T any] struct {
	literal  map[string]*node[T]
	variable *node[T] // {name}
	greedy   *node[T] // {name+}
	name     string   // of the variable that leads here
	methods  map[string]T
}

// New makes a router of routes. It fails on paths that no API can have:
// resources below a greedy variable, two variables under one parent, the same
// method twice.
func New[T any](routes []Route[T]) (*Router[T], error) {
	r := &Router[T]{}
	for _, route := range routes {
		n, err := r.root.descend(route.Path)
		if err != nil {
			return nil, err
		}
		if _, twice := n.methods[route.Method]; twice {
			return nil, fmt.Errorf("route: %s %s is declared twice", route.Method, route.Path)
		}
		if n.methods == nil {
			n.methods = map[string]T{}
		}
		n.methods[route.Method] = route.Value
	}
	return r, nil
}

// descend returns the node of a template path, making what is missing.
func (n *node[T]) descend(path string) (*node[T], error) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return nil, fmt.Errorf("route: resource path %q does not begin with a slash", path)
	}
	for rest != "" {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		name, isVariable := variable(segment)
		if !isVariable {
			n = n.child(segment)
			continue
		}
		greedyName, isGreedy := strings.CutSuffix(name, "+")
		at := &n.variable
		if isGreedy {
			at, name = &n.greedy, greedyName
			if rest != "" {
				return nil, fmt.Errorf("route: %s has a resource below a greedy path variable", path)
			}
		}
		if *at == nil {
			*at = &node[T]{name: name}
		}
		if (*at).name != name {
			return nil, fmt.Errorf("route: %s and {%s} are siblings; only one variable is allowed", path, (*at).name)
		}
		n = *at
	}
	return n, nil
}

func (n *node[T]) child(segment string) *node[T] {
	c, ok := n.literal[segment]
	if !ok {
		if n.literal == nil {
			n.literal = map[string]*node[T]{}
		}
		c = &node[T]{}
		n.literal[segment] = c
	}
	return c
}

func variable(segment string) (name string, ok bool) {
	if len(segment) > 2 && segment[0] == '{' && segment[len(segment)-1] == '}' {
		return segment[1 : len(segment)-1], true
	}
	return "", false
}

// Match returns the most specific route that serves verb on path, which is
// raw (still URL-encoded) and begins with a slash; the path's variables are
// appended to params.
//
// The unit of matching is the pair of resource and method: a resource whose
// path matches but that declares neither the verb nor ANY does not stop the
// search (measured on AWS by several people: GET /users/me reaches /users/{id}
// when /users/me only declares PATCH). Per segment, from the left, a literal
// goes before {name} and that before {name+}. One trailing slash is ignored.
func (r *Router[T]) Match(verb, path string, params []Param) (T, []Param, bool) {
	rest := strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	return r.root.match(verb, rest, params)
}

func (n *node[T]) match(verb, rest string, params []Param) (T, []Param, bool) {
	if rest == "" {
		value, ok := n.method(verb)
		return value, params, ok
	}
	segment, below, _ := strings.Cut(rest, "/")
	if c, ok := n.literal[segment]; ok {
		if value, params, ok := c.match(verb, below, params); ok {
			return value, params, true
		}
	}
	if n.variable != nil && segment != "" {
		with := append(params, Param{n.variable.name, segment})
		if value, params, ok := n.variable.match(verb, below, with); ok {
			return value, params, true
		}
	}
	if n.greedy != nil {
		if value, ok := n.greedy.method(verb); ok {
			return value, append(params, Param{n.greedy.name, rest}), true
		}
	}
	var none T
	return none, params, false
}

func (n *node[T]) method(verb string) (T, bool) {
	if value, ok := n.methods[verb]; ok {
		return value, true
	}
	value, ok := n.methods[Any]
	if !ok {
		return value, false
	}
	for _, v := range anyVerbs {
		if v == verb {
			return value, true
		}
	}
	var none T
	return none, false
}

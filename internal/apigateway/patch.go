package apigateway

import (
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// patchOp is one operation of a PATCH request.
type patchOp struct {
	op, path string
	value    *string
	// key is the unescaped segment that the {} of the row's path matched.
	key string
}

// text is the value, "" if there is none.
func (p patchOp) text() string { return wire.Val(p.value) }

// isTrue reads a boolean value the way API Gateway does: what isn't true is
// false (recorded).
func (p patchOp) isTrue() bool { return strings.EqualFold(p.text(), "true") }

// patchRow is a path of a resource that PATCH may change. A {} segment of the
// path stands for any one segment.
type patchRow[T any] struct {
	path  string
	ops   []string
	apply func(*T, patchOp) error
}

// patchTable lists what PATCH may change of a T (API Reference, "Patch
// Operations"). API Gateway words refusals in two ways: picky tables name
// every path that they know, the others only the one that they got.
type patchTable[T any] struct {
	picky bool
	rows  []patchRow[T]
}

var (
	replaceOnly = []string{"replace"}
	addRemove   = []string{"add", "remove"}
	anyEdit     = []string{"add", "remove", "replace"}
)

// apply runs the operations on v, in order.
func (t patchTable[T]) apply(v *T, ops []apigatewayapi.PatchOperation) error {
	for _, raw := range ops {
		if raw.Path == nil {
			return badRequest("Invalid patch path null")
		}
		op := patchOp{op: wire.Val(raw.Op), path: *raw.Path, value: raw.Value}
		row, key := t.find(op.path)
		switch {
		case row == nil:
			return t.unknownPath(op)
		case !slices.Contains(row.ops, op.op):
			return t.unknownOp(op, row)
		}
		op.key = key
		if err := row.apply(v, op); err != nil {
			return err
		}
	}
	return nil
}

// find returns the row of a path and what its {} matched.
func (t patchTable[T]) find(path string) (*patchRow[T], string) {
	have := strings.Split(path, "/")
next:
	for i := range t.rows {
		want, key := strings.Split(t.rows[i].path, "/"), ""
		if len(want) != len(have) {
			continue
		}
		for j := range want {
			switch {
			case want[j] == "{}" && have[j] != "":
				key = unescapePointer(have[j])
			case want[j] != have[j]:
				continue next
			}
		}
		return &t.rows[i], key
	}
	return nil, ""
}

func (t patchTable[T]) unknownPath(op patchOp) error {
	if !t.picky {
		return badRequest("Invalid patch path %s", op.path)
	}
	var paths []string
	for _, row := range t.rows {
		if slices.Contains(row.ops, op.op) {
			paths = append(paths, row.path)
		}
	}
	if paths == nil {
		return chooseSupported(op)
	}
	return badRequest("Invalid patch path  '%s' specified for op '%s'. Must be one of: [%s]", op.path, op.op, strings.Join(paths, ", "))
}

func (t patchTable[T]) unknownOp(op patchOp, row *patchRow[T]) error {
	switch {
	case t.picky:
		return chooseSupported(op)
	case len(row.ops) == 1:
		return badRequest("Invalid patch operation specified. Must be one of: [%s]", row.ops[0])
	}
	return badRequest("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")
}

func chooseSupported(op patchOp) error {
	return badRequest("Invalid patch path  '%s' specified for op '%s'. Please choose supported operations", op.path, op.op)
}

// unescapePointer decodes a segment of a JSON pointer (RFC 6901).
func unescapePointer(segment string) string {
	return strings.ReplaceAll(strings.ReplaceAll(segment, "~1", "/"), "~0", "~")
}

// textRow is a row that replaces a text; an empty one removes it.
func textRow[T any](path string, field func(*T) **string) patchRow[T] {
	return patchRow[T]{path: path, ops: replaceOnly, apply: func(v *T, op patchOp) error {
		*field(v) = nonEmpty(op.value)
		return nil
	}}
}

// optionalRow is a row for a text that can also be added and removed.
func optionalRow[T any](path string, field func(*T) **string) patchRow[T] {
	return patchRow[T]{path: path, ops: anyEdit, apply: func(v *T, op patchOp) error {
		*field(v) = nil
		if op.op != "remove" {
			*field(v) = nonEmpty(op.value)
		}
		return nil
	}}
}

// mapRow is a row for the entries of a map. parse checks and converts an
// entry; missing is the answer to a change of an entry that isn't there.
func mapRow[T, E any](path string, field func(*T) *map[string]E, missing string, parse func(v *T, key string, op patchOp) (E, error)) patchRow[T] {
	return patchRow[T]{path: path + "/{}", ops: anyEdit, apply: func(v *T, op patchOp) error {
		entries := field(v)
		if _, ok := (*entries)[op.key]; !ok && op.op != "add" {
			return notFound("%s", missing)
		}
		if op.op == "remove" {
			delete(*entries, op.key)
			if len(*entries) == 0 {
				*entries = nil
			}
			return nil
		}
		entry, err := parse(v, op.key, op)
		if err != nil {
			return err
		}
		if *entries == nil {
			*entries = map[string]E{}
		}
		(*entries)[op.key] = entry
		return nil
	}}
}

// notBuiltRow is a row whose path only accepts to be unset.
func notBuiltRow[T any](path, what string) patchRow[T] {
	return patchRow[T]{path: path, ops: anyEdit, apply: func(_ *T, op patchOp) error {
		if op.op == "remove" || op.text() == "" || strings.EqualFold(op.text(), "false") {
			return nil
		}
		return wire.NotBuilt("%s (patch of %s)", what, op.path)
	}}
}

// nonEmpty is p, or nil if it is an empty text.
func nonEmpty(p *string) *string {
	if wire.Val(p) == "" {
		return nil
	}
	return p
}

// oneOf checks a patched enumeration value.
func oneOf(name, value string, valid ...string) error {
	if slices.Contains(valid, value) {
		return nil
	}
	return badRequest("Invalid %s specified. Valid options are %s", name, strings.Join(valid, ","))
}

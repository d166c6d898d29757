package vtl

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// Template is a compiled mapping template, safe for concurrent use.
type Template struct {
	program *program
	states  sync.Pool
}

// program is the outcome of compiling one source.
type program struct {
	body   nodes
	names  symbols
	macros map[string]*macro
	// objects are the variables that have a value from the start: $input etc.
	objects bindings
}

// SyntaxError says where and why a source is not a template.
type SyntaxError struct {
	Line, Column int // both counted from 1, the column in characters
	Msg          string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("mapping template, line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// RenderError says which reference or directive failed while rendering.
type RenderError struct {
	Line, Column int
	Source       string // the reference or directive as written
	Err          error
}

func (e *RenderError) Error() string {
	return fmt.Sprintf("mapping template, line %d, column %d: %s: %v", e.Line, e.Column, e.Source, e.Err)
}

// Unwrap returns the cause.
func (e *RenderError) Unwrap() error { return e.Err }

// Compile parses src. Its error is a *SyntaxError.
func Compile(src string) (*Template, error) {
	prog, err := compile(src, symbols{}, nil)
	if err != nil {
		return nil, err
	}
	return &Template{program: prog}, nil
}

// compile parses src with the variables and macros of an outer program, which
// both maps are extended copies or the empty map of.
func compile(src string, names symbols, macros map[string]*macro) (*program, error) {
	if macros == nil {
		macros = map[string]*macro{}
	}
	if len(src) > maxTemplate {
		return nil, &SyntaxError{1, 1, "template is too long"}
	}
	p := &parser{src: src, names: names, macros: macros}
	body, err := p.template()
	if err != nil {
		return nil, err
	}
	prog := &program{body: body, names: names, macros: macros}
	for _, name := range [...]string{"input", "util", "context", "stageVariables"} {
		if slot, ok := names[name]; ok {
			prog.objects = append(prog.objects, binding{slot, object(name)})
		}
	}
	return prog, nil
}

// Render appends the template's output for env to dst. On an error, a
// *RenderError or one of the engine's bounds, the output is incomplete and
// overrides may have been set; the gateway answers such a request with 500.
func (t *Template) Render(dst []byte, env *Env) ([]byte, error) {
	st, _ := t.states.Get().(*state)
	if st == nil {
		st = &state{}
	}
	st.begin(t.program, env, dst)
	err := t.program.body.render(st)
	out := st.out
	st.end()
	t.states.Put(st)
	if err == errStop || err == errBreak {
		err = nil
	}
	return out, err
}

// symbols gives each name that a template mentions its place in the state.
type symbols map[string]int

func (s symbols) slot(name string) int {
	i, ok := s[name]
	if !ok {
		i = len(s)
		s[name] = i
	}
	return i
}

// state is one rendering.
type state struct {
	out     []byte
	base    int // length of what was in out before
	env     *Env
	names   symbols
	macros  map[string]*macro
	vars    []Value
	args    []Value // stack of method arguments
	work    int
	calls   int // macros, #define blocks and #evaluate inside each other
	macro   int // macros inside each other
	payload payload
	loops   []*loop // that can be used again; see state.loop
	// matching is the time spent in regular expressions.
	matching time.Duration
}

func (st *state) begin(prog *program, env *Env, dst []byte) {
	st.out, st.base, st.env = dst, len(dst), env
	st.names, st.macros = prog.names, prog.macros
	st.grow(len(prog.names))
	st.seed(prog)
}

// seed gives the variables that prog mentions, and that have no value yet, the
// value they begin with.
func (st *state) seed(prog *program) {
	for _, b := range prog.objects {
		if st.vars[b.slot] == nil {
			st.vars[b.slot] = b.value
		}
	}
	for i := range st.env.Vars.Len() {
		v := st.env.Vars.At(i)
		if slot, ok := prog.names[v.Key]; ok && st.vars[slot] == nil {
			st.vars[slot] = v.Value
		}
	}
}

func (st *state) grow(n int) {
	for len(st.vars) < n {
		st.vars = append(st.vars, nil)
	}
}

// end forgets everything that belongs to the request.
func (st *state) end() {
	clear(st.vars)
	clear(st.args[:cap(st.args)])
	st.payload.release(st.env)
	*st = state{vars: st.vars, args: st.args[:0], loops: st.loops}
}

// spend accounts for n operations.
func (st *state) spend(n int) error {
	if st.work += n; st.work > maxWork {
		return errWork
	}
	if len(st.out)-st.base > MaxOutput {
		return errOutput
	}
	return nil
}

// get returns the value of a variable, or nil.
func (st *state) get(slot int) (Value, error) {
	v := st.vars[slot]
	switch t := v.(type) {
	case *thunk:
		return t.eval(st)
	case *value.Scalar:
		v = t.Value()
		st.vars[slot] = v
	}
	return v, nil
}

// text returns v as Java's toString gives it; nil gives "null".
func (st *state) text(v Value) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case *block:
		return st.capture(v)
	}
	b := value.AppendJava(nil, v, MaxOutput)
	if len(b) > MaxOutput {
		return "", errOutput
	}
	return string(b), st.spend(len(b) / 64)
}

// capture renders n into a string of its own.
func (st *state) capture(n node) (string, error) {
	start := len(st.out)
	err := n.render(st)
	s := string(st.out[start:])
	st.out = st.out[:start]
	return s, err
}

// print appends v to the output.
func (st *state) print(v Value) error {
	start := len(st.out)
	var ok bool
	if st.out, ok = value.AppendScalar(st.out, v); ok {
		if n := len(st.out) - start; n > 64 {
			return st.spend(n / 64)
		}
		return nil
	}
	switch v := v.(type) {
	case *block:
		return v.render(st)
	case *value.Map:
		// An override prints nothing as a whole (recorded for
		// $context.requestOverride).
		if v == st.env.requestOver || v == st.env.responseOver {
			return nil
		}
	}
	st.out = value.AppendJava(st.out, v, st.base+MaxOutput)
	return st.spend(1 + (len(st.out)-start)/64)
}

// lineColumn turns an offset into a position for people.
func lineColumn(src string, offset int) (line, column int) {
	before := src[:min(offset, len(src))]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, len([]rune(before[lineStart:])) + 1
}

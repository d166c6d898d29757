package pattern

import "github.com/go-json-experiment/json/jsontext"

const notBut = "Value of anything-but must be an array or single string/number value."

// but reads the argument of anything-but: a value, a list of values, or an
// operator on texts with one or several of them.
func (r *reader) but() (rule, error) {
	t, err := r.next()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case '"', '0':
		return none(exactly(valueOf(t))), nil
	case '[':
		return r.butList()
	case '{':
		return r.butOperator()
	}
	return nil, r.invalid(notBut)
}

// none is the rule for values that none of others is for.
func none(others ...rule) rule {
	return func(v any, present bool) bool {
		for _, other := range others {
			if other(v, present) {
				return false
			}
		}
		return present
	}
}

func (r *reader) butList() (rule, error) {
	var others []rule
	texts := 0
	for {
		t, err := r.next()
		if err != nil {
			return nil, err
		}
		switch t.Kind() {
		case ']':
			if len(others) == 0 || texts > 0 && texts < len(others) {
				return nil, r.invalid("Inside anything but list, either all values are number or string, mixed type is not supported")
			}
			return none(others...), nil
		case '"':
			texts++
		case '0':
		default:
			return nil, twice(r.invalid("Inside anything but list, start|null|boolean is not supported."))
		}
		others = append(others, exactly(valueOf(t)))
	}
}

// butOperators are the operators that anything-but takes, with what errors call
// each.
var butOperators = map[string]string{"prefix": "prefix/suffix", "suffix": "prefix/suffix", "equals-ignore-case": "", "wildcard": "wildcard"}

func (r *reader) butOperator() (rule, error) {
	t, err := r.next()
	if err != nil {
		return nil, err
	}
	if t.Kind() == '}' {
		return nil, r.invalid("Anything-But expression name not found")
	}
	name := t.String()
	if _, ok := butOperators[name]; !ok {
		return nil, r.invalid("Unsupported anything-but pattern: %s", name)
	}
	if t, err = r.next(); err != nil {
		return nil, err
	}
	var others []rule
	switch t.Kind() {
	case '{':
		return nil, r.invalid(notBut)
	case '[':
		for {
			if t, err = r.next(); err != nil {
				return nil, err
			}
			if t.Kind() == ']' {
				break
			}
			other, err := r.butText(name, t)
			if err != nil {
				return nil, twice(err)
			}
			others = append(others, other)
		}
		if len(others) == 0 {
			return nil, r.invalid("Empty arrays are not allowed")
		}
	default:
		other, err := r.butText(name, t)
		if err != nil {
			return nil, err
		}
		others = append(others, other)
	}
	return none(others...), r.close()
}

func (r *reader) butText(name string, t jsontext.Token) (rule, error) {
	if name == "equals-ignore-case" && t.Kind() != '"' {
		return nil, r.invalid("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.")
	}
	if t.Kind() == '"' && t.String() == "" && butOperators[name] == "prefix/suffix" {
		r.whole()
		return nil, r.invalid("Null prefix/suffix not allowed")
	}
	return r.textual(name, butOperators[name], t)
}

package vtl

import (
	"errors"
	"fmt"
	"strings"
)

// stringMethods are those of java.lang.String. Positions count UTF-16 units.
var stringMethods = map[string]*methodDef{
	"length":  {0, 0, func(c callee, _ []Value) (Value, error) { return int64(javaLen(c.str())), nil }},
	"isEmpty": {0, 0, func(c callee, _ []Value) (Value, error) { return c.str() == "", nil }},
	"isBlank": {0, 0, func(c callee, _ []Value) (Value, error) { return strings.TrimSpace(c.str()) == "", nil }},
	"trim": {0, 0, func(c callee, _ []Value) (Value, error) {
		return strings.TrimFunc(c.str(), func(r rune) bool { return r <= ' ' }), nil
	}},
	"toLowerCase":   {0, 0, func(c callee, _ []Value) (Value, error) { return strings.ToLower(c.str()), nil }},
	"toUpperCase":   {0, 0, func(c callee, _ []Value) (Value, error) { return strings.ToUpper(c.str()), nil }},
	"intern":        {0, 0, func(c callee, _ []Value) (Value, error) { return c.recv, nil }},
	"hashCode":      {0, 0, func(c callee, _ []Value) (Value, error) { return int64(javaHash(c.str())), nil }},
	"substring":     {1, 2, stringSubstring},
	"subSequence":   {2, 2, stringSubstring},
	"charAt":        {1, 1, stringCharAt},
	"indexOf":       {1, 2, stringIndexOf},
	"lastIndexOf":   {1, 2, stringLastIndexOf},
	"regionMatches": {4, 5, stringRegionMatches},
	"replace":       {2, 2, stringReplace},
	"replaceAll":    {2, 2, func(c callee, args []Value) (Value, error) { return stringReplaceRegex(c, args, false) }},
	"replaceFirst":  {2, 2, func(c callee, args []Value) (Value, error) { return stringReplaceRegex(c, args, true) }},
	"split":         {1, 2, stringSplit},
	"matches":       {1, 1, stringMatches},
	"contains":      {1, 1, onString(func(s, t string) Value { return strings.Contains(s, t) })},
	"startsWith":    {1, 2, stringStartsWith},
	"endsWith":      {1, 1, onString(func(s, t string) Value { return strings.HasSuffix(s, t) })},
	"contentEquals": {1, 1, onString(func(s, t string) Value { return s == t })},
	"compareTo":     {1, 1, onString(func(s, t string) Value { return int64(javaCompare(s, t)) })},
	"concat":        {1, 1, stringConcat},
	"repeat":        {1, 1, stringRepeat},
	"valueOf":       {1, 1, stringValueOf},
	"equalsIgnoreCase": {1, 1, func(c callee, args []Value) (Value, error) {
		if args[0] == nil {
			return false, nil
		}
		t, ok := args[0].(string)
		if !ok {
			return nil, nil
		}
		return equalFold(c.str(), t), nil
	}},
	"compareToIgnoreCase": {1, 1, onString(func(s, t string) Value {
		return int64(javaCompare(strings.ToLower(strings.ToUpper(s)), strings.ToLower(strings.ToUpper(t))))
	})},
}

func (c callee) str() string { return c.recv.(string) }

var errNullText = errors.New("null is given where a text is needed")

// textArg returns an argument that must be a text. Another type fits no
// overload; null does, and makes Java throw.
func textArg(v Value) (s string, ok bool, err error) {
	if v == nil {
		return "", false, errNullText
	}
	s, ok = v.(string)
	return s, ok, nil
}

// onString makes a method of one string argument.
func onString(fn func(s, t string) Value) func(callee, []Value) (Value, error) {
	return func(c callee, args []Value) (Value, error) {
		t, ok, err := textArg(args[0])
		if !ok {
			return nil, err
		}
		if err := c.st.spend(len(c.str()) / 256); err != nil {
			return nil, err
		}
		return fn(c.str(), t), nil
	}
}

func stringSubstring(c callee, args []Value) (Value, error) {
	s := c.str()
	from, ok := intArg(args, 0, 0)
	to, okTo := intArg(args, 1, javaLen(s))
	if !ok || !okTo {
		return nil, nil
	}
	part, ok := slice(s, from, to)
	if !ok {
		return nil, fmt.Errorf("substring from %d to %d of a text of length %d", from, to, javaLen(s))
	}
	return part, nil
}

func stringCharAt(c callee, args []Value) (Value, error) {
	at, ok := intArg(args, 0, 0)
	if !ok {
		return nil, nil
	}
	part, ok := slice(c.str(), at, at+1)
	if !ok {
		return nil, fmt.Errorf("charAt %d of a text of length %d", at, javaLen(c.str()))
	}
	return part, nil
}

// needle is the text or the character that an indexOf looks for.
func needle(v Value) (s string, ok bool, err error) {
	if n, isInt := v.(int64); isInt {
		return string(rune(n)), true, nil
	}
	return textArg(v)
}

func stringIndexOf(c callee, args []Value) (Value, error) {
	s := c.str()
	t, ok, err := needle(args[0])
	from, okFrom := intArg(args, 1, 0)
	if !ok || !okFrom {
		return nil, err
	}
	n := javaLen(s)
	from = min(max(from, 0), n)
	rest, _ := slice(s, from, n)
	i := strings.Index(rest, t)
	if i < 0 {
		return int64(-1), nil
	}
	return int64(from + javaLen(rest[:i])), c.st.spend(len(s) / 256)
}

func stringLastIndexOf(c callee, args []Value) (Value, error) {
	s := c.str()
	t, ok, err := needle(args[0])
	from, okFrom := intArg(args, 1, javaLen(s))
	if !ok || !okFrom {
		return nil, err
	}
	if from < 0 {
		return int64(-1), nil
	}
	head, _ := slice(s, 0, min(from+javaLen(t), javaLen(s)))
	return offset(head, strings.LastIndex(head, t)), c.st.spend(len(s) / 256)
}

// stringRegionMatches is regionMatches([ignoreCase,] offset, other, otherOffset, length).
func stringRegionMatches(c callee, args []Value) (Value, error) {
	ignoreCase := false
	if len(args) == 5 {
		var ok bool
		if ignoreCase, ok = args[0].(bool); !ok {
			return nil, nil
		}
		args = args[1:]
	}
	at, ok1 := intArg(args, 0, 0)
	t, ok2 := args[1].(string)
	otherAt, ok3 := intArg(args, 2, 0)
	n, ok4 := intArg(args, 3, 0)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, nil
	}
	a, okA := slice(c.str(), at, at+max(n, 0))
	b, okB := slice(t, otherAt, otherAt+max(n, 0))
	if !okA || !okB {
		return false, nil
	}
	return a == b || ignoreCase && equalFold(a, b), nil
}

func stringReplace(c callee, args []Value) (Value, error) {
	s := c.str()
	from, ok, err := textArg(args[0])
	if !ok {
		return nil, err
	}
	to, ok, err := textArg(args[1])
	if !ok {
		return nil, err
	}
	if grow := len(to) - len(from); grow > 0 && len(s)+(strings.Count(s, from)*grow) > MaxOutput {
		return nil, errOutput
	}
	return strings.ReplaceAll(s, from, to), c.st.spend(len(s) / 256)
}

func stringStartsWith(c callee, args []Value) (Value, error) {
	t, ok, err := textArg(args[0])
	from, okFrom := intArg(args, 1, 0)
	if !ok || !okFrom {
		return nil, err
	}
	if from == 0 {
		return strings.HasPrefix(c.str(), t), nil
	}
	rest, ok := slice(c.str(), from, javaLen(c.str()))
	return ok && strings.HasPrefix(rest, t), nil
}

func stringConcat(c callee, args []Value) (Value, error) {
	t, ok, err := textArg(args[0])
	if !ok {
		return nil, err
	}
	if len(c.str())+len(t) > MaxOutput {
		return nil, errOutput
	}
	return c.str() + t, c.st.spend(len(c.str()) / 64)
}

func stringRepeat(c callee, args []Value) (Value, error) {
	n, ok := intArg(args, 0, 0)
	switch {
	case !ok:
		return nil, nil
	case n < 0:
		return nil, errors.New("repeat count is negative")
	case len(c.str())*n > MaxOutput:
		return nil, errOutput
	}
	return strings.Repeat(c.str(), n), c.st.spend(len(c.str()) * n / 64)
}

// stringValueOf is the static String.valueOf, reached through any string.
func stringValueOf(c callee, args []Value) (Value, error) {
	s, err := c.st.text(args[0])
	return s, err
}

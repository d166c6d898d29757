package attr_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

func TestJSONShapes(t *testing.T) {
	t.Parallel()
	const none = ""
	for _, tc := range []struct{ in, serialization, validation string }{
		{`{"S":""}`, none, none},
		{`{"N":"1e3"}`, none, none},
		{`{"B":"aGk="}`, none, none},
		{`{"BOOL":"TRUE"}`, none, none},
		{`{"L":[]}`, none, none},
		{`{"M":{}}`, none, none},
		{`{"S":"x","Later":{"a":[1]}}`, none, none},
		{`{"S":"x","N":null}`, none, none},
		{`{"S":23}`, "NUMBER_VALUE cannot be converted to String", none},
		{`{"S":34.56}`, "DECIMAL_VALUE cannot be converted to String", none},
		{`{"S":true}`, "TRUE_VALUE cannot be converted to String", none},
		{`{"S":false}`, "FALSE_VALUE cannot be converted to String", none},
		{`{"S":[]}`, "Unrecognized collection type class java.lang.String", none},
		{`{"S":{}}`, "Start of structure or map found where not expected", none},
		{`{"N":5}`, "NUMBER_VALUE cannot be converted to String", none},
		{`{"NS":["1",2]}`, "NUMBER_VALUE cannot be converted to String", none},
		{`{"SS":"a"}`, "Unexpected field type", none},
		{`{"SS":{}}`, "Start of structure or map found where not expected", none},
		{`{"L":{}}`, "Start of structure or map found where not expected", none},
		{`{"L":[5]}`, "Unexpected value type in payload", none},
		{`{"M":5}`, "Unexpected field type", none},
		{`{"M":[]}`, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>", none},
		{`{"M":{"a":[]}}`, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue", none},
		{`"x"`, "Unexpected value type in payload", none},
		{`{"B":5}`, "only base-64-encoded strings are convertible to bytes", none},
		{`{"BS":[true]}`, "only base-64-encoded strings are convertible to bytes", none},
		{`{"B":[]}`, "Unrecognized collection type class java.nio.ByteBuffer", none},
		{`{"B":"23456"}`, "Base64 encoded length is expected a multiple of 4 bytes but found: 5", none},
		{`{"B":"=+/="}`, "Invalid last non-pad Base64 character dectected", none},
		{`{"B":"+/+="}`, "Invalid last non-pad Base64 character dectected", none},
		{`{"BOOL":"23"}`, "Unexpected token received from parser", none},
		{`{"BOOL":"1"}`, "Unexpected token received from parser", none},
		{`{"BOOL":0}`, "NUMBER_VALUE cannot be converted to Boolean", none},
		{`{"BOOL":[]}`, "Unrecognized collection type class java.lang.Boolean", none},
		{`{}`, none, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{`null`, none, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{`{"M":{"a":{}}}`, none, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{`{"L":[null]}`, none, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{`{"S":"a","N":"1"}`, none, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},
		{`{"NULL":false}`, none, "One or more parameter values were invalid: Null attribute value types must have the value of true"},
		{`{"SS":[]}`, none, "One or more parameter values were invalid: An string set  may not be empty"},
		{`{"NS":[]}`, none, "One or more parameter values were invalid: An number set  may not be empty"},
		{`{"BS":[]}`, none, "One or more parameter values were invalid: Binary sets should not be empty"},
		{`{"SS":["b","a","b"]}`, none, `One or more parameter values were invalid: Input collection ["a", "b", "b"] contains duplicates.`},
		{`{"BS":["/w==","AA==","AA=="]}`, none, `One or more parameter values were invalid: Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.`},
		{`{"NS":["2","1","2.0"]}`, none, `One or more parameter values were invalid: Input collection contains duplicates.`},
		{`{"N":"abc"}`, none, "The parameter cannot be converted to a numeric value: abc"},
		{`{"NS":["1","abc"]}`, none, "The parameter cannot be converted to a numeric value: abc"},
		{nested(31), none, none},
		{nested(32), none, "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"},
		{nested(2000), none, "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"},
	} {
		name := tc.in[:min(len(tc.in), 60)]
		var v attr.Value
		err := json.Unmarshal([]byte(tc.in), &v)
		var ser *attr.SerializationError
		switch {
		case tc.serialization != none:
			if !errors.As(err, &ser) || ser.Message != tc.serialization {
				t.Errorf("%s: %v, want serialization error %q", name, err, tc.serialization)
			}
			continue
		case err != nil:
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := ""
		if err := v.Validate(); err != nil {
			got = err.Error()
		}
		if got != tc.validation {
			t.Errorf("%s: validation %q, want %q", name, got, tc.validation)
		}
	}
}

func nested(depth int) string {
	return strings.Repeat(`{"M":{"n":`, depth) + `{"S":"leaf"}` + strings.Repeat("}}", depth)
}

func TestOlderWording(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"SS":["b","a","b"]}`:          "One or more parameter values were invalid: Input collection [b, a, b] contains duplicates.",
		`{"BS":["/w==","AA==","AA=="]}`: "One or more parameter values were invalid: Input collection [/w==, AA==, AA==]of type BS contains duplicates.",
		`{"NS":["2","1","2"]}`:          "Input collection contains duplicates",
		`{"N":""}`:                      "The parameter cannot be converted to a numeric value",
		`{"N":"x"}`:                     "The parameter cannot be converted to a numeric value: x",
	} {
		var v attr.Value
		if err := json.Unmarshal([]byte(in), &v); err != nil {
			t.Fatal(err)
		}
		var bad *attr.ValidationError
		if !errors.As(v.Validate(), &bad) || bad.OlderText() != want {
			t.Errorf("%s: %v, want %q", in, bad, want)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		`{"S":"héllo"}`:              6,
		`{"B":"aGk="}`:               2,
		`{"BOOL":false}`:             1,
		`{"NULL":true}`:              1,
		`{"N":"0"}`:                  1,
		`{"N":"1"}`:                  2,
		`{"N":"-1"}`:                 3,
		`{"N":"1E125"}`:              2,
		`{"N":"123456"}`:             4,
		`{"N":"3.14159"}`:            5,
		`{"N":"0.00012"}`:            2,
		`{"SS":["a","bcd"]}`:         4,
		`{"NS":["1","10"]}`:          4,
		`{"L":[{"S":"ab"}]}`:         3 + 1 + 2,
		`{"M":{"key":{"S":"ab"}}}`:   3 + 1 + 3 + 2,
		`{"M":{"a":{"L":[]}}}`:       3 + 1 + 1 + 3,
		`{"L":[{"N":"1"},{"S":""}]}`: 3 + 1 + 2 + 1,
	} {
		var v attr.Value
		if err := json.Unmarshal([]byte(in), &v); err != nil {
			t.Fatal(err)
		}
		if got := v.Size(); got != want {
			t.Errorf("size of %s = %d, want %d", in, got, want)
		}
	}
}

// drawValue makes a valid value of any type, nested up to depth.
func drawValue(depth int) *rapid.Generator[attr.Value] {
	return rapid.Custom(func(t *rapid.T) attr.Value {
		text := rapid.StringN(0, 5, 20)
		kinds := []attr.Kind{attr.S, attr.N, attr.B, attr.SS, attr.NS, attr.BS, attr.NULL, attr.BOOL}
		if depth > 0 {
			kinds = append(kinds, attr.M, attr.L)
		}
		switch kind := rapid.SampledFrom(kinds).Draw(t, "kind"); kind {
		case attr.S:
			return attr.String(text.Draw(t, "S"))
		case attr.N:
			return number(t)
		case attr.B:
			return attr.Binary(string(rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "B")))
		case attr.SS, attr.BS:
			return attr.Set(kind, rapid.SliceOfNDistinct(text, 1, 4, rapid.ID).Draw(t, "set"))
		case attr.NS:
			n := number(t)
			return attr.Set(attr.NS, []string{n.Text()})
		case attr.M:
			return attr.Map(rapid.MapOfN(text, drawValue(depth-1), 0, 3).Draw(t, "M"))
		case attr.L:
			return attr.List(rapid.SliceOfN(drawValue(depth-1), 0, 3).Draw(t, "L"))
		case attr.NULL:
			return attr.Null()
		}
		return attr.Bool(rapid.Bool().Draw(t, "BOOL"))
	})
}

func number(t *rapid.T) attr.Value {
	v, err := attr.Number(drawNumber(t, "N"))
	if err != nil {
		v, _ = attr.Number("7")
	}
	return v
}

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		it := attr.Item(rapid.MapOfN(rapid.StringN(0, 4, 16), drawValue(3), 0, 4).Draw(t, "item"))
		if err := it.Validate(); err != nil {
			t.Fatal(err)
		}
		stored := attr.AppendItem(nil, it)
		back, err := attr.DecodeItem(stored)
		if err != nil || !attr.EqualItems(it, back) {
			t.Fatalf("stored form: %v, %v", back, err)
		}
		if !bytes.Equal(stored, attr.AppendItem(nil, it.Clone())) {
			t.Fatal("a clone has another stored form")
		}
		wire, err := json.Marshal(it)
		if err != nil {
			t.Fatal(err)
		}
		var again attr.Item
		if err := json.Unmarshal(wire, &again); err != nil {
			t.Fatalf("%s: %v", wire, err)
		}
		if !attr.EqualItems(it, again) || again.Size() != it.Size() {
			t.Fatalf("wire form %s changed the item", wire)
		}
	})
}

func TestEqualSetsIgnoreOrder(t *testing.T) {
	t.Parallel()
	a, b := attr.StringSet("x", "y", "z"), attr.StringSet("z", "x", "y")
	if !attr.Equal(a, b) {
		t.Error("same members in another order differ")
	}
	if attr.Equal(a, attr.StringSet("x", "y", "q")) || attr.Equal(a, attr.BinarySet("x", "y", "z")) {
		t.Error("different sets are equal")
	}
	if _, ok := attr.Compare(attr.String("1"), a); ok {
		t.Error("a set has an order")
	}
}

func FuzzDecodeItem(f *testing.F) {
	f.Add(attr.AppendItem(nil, attr.Item{"a": attr.String("x"), "m": attr.Map(attr.Item{"l": attr.List([]attr.Value{attr.Bool(true)})})}))
	f.Fuzz(func(t *testing.T, b []byte) {
		it, err := attr.DecodeItem(b)
		if err != nil {
			return
		}
		if back, err := attr.DecodeItem(attr.AppendItem(nil, it)); err != nil || !attr.EqualItems(it, back) {
			t.Fatalf("decoded item does not survive: %v", err)
		}
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"M":{"a":{"L":[{"SS":["x"]},{"N":"1e5"},{"NULL":true}]}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v attr.Value
		if json.Unmarshal(b, &v) != nil || v.Validate() != nil {
			return
		}
		wire, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var again attr.Value
		if err := json.Unmarshal(wire, &again); err != nil || !attr.Equal(v, again) {
			t.Fatalf("%s -> %s: %v", b, wire, err)
		}
	})
}

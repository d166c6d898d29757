package cli

import (
	"encoding/json"
	"fmt"

	"github.com/butai-dev/butai/internal/gateway/value"
	"github.com/butai-dev/butai/internal/gateway/vtl"
)

// vtlContext is all that a template can read but the payload.
type vtlContext struct {
	Params struct {
		Path, QueryString, Header jsonTexts
	} `json:"params"`
	StageVariables jsonTexts  `json:"stageVariables"`
	Context        jsonObject `json:"context"`
	Vars           jsonObject `json:"vars"`
}

// render returns the rendered bytes, or a *vtl.SyntaxError or
// *vtl.RenderError, which tell the line and the column.
func (c *vtlContext) render(template string, body []byte, watch func(vtl.Reading)) ([]byte, error) {
	compiled, err := vtl.Compile(template)
	if err != nil {
		return nil, err
	}
	env := &vtl.Env{
		Path: c.Params.Path, Query: c.Params.QueryString, Header: c.Params.Header,
		StageVariables: c.StageVariables, Context: c.Context, Vars: c.Vars.object, Trace: watch,
	}
	env.SetBody(body)
	out, err := compiled.Render(nil, env)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// vtlCase is a line of --cases.
type vtlCase struct {
	Template string `json:"template"`
	Body     string `json:"body"`
	vtlContext
}

// vtlAnswer is the answer to a case; one of the two is set.
type vtlAnswer struct {
	Out *string `json:"out,omitempty"`
	Err string  `json:"err,omitempty"`
}

func answerCase(line []byte) vtlAnswer {
	var c vtlCase
	if err := json.Unmarshal(line, &c); err != nil {
		return vtlAnswer{Err: err.Error()}
	}
	out, err := c.render(c.Template, []byte(c.Body), nil)
	if err != nil {
		return vtlAnswer{Err: err.Error()}
	}
	text := string(out)
	return vtlAnswer{Out: &text}
}

// jsonObject is a JSON object that keeps the order of its members and can be
// read by templates; the objects in it are groups, such as $context.identity.
type jsonObject struct{ object *value.Map }

// UnmarshalJSON implements json.Unmarshaler.
func (o *jsonObject) UnmarshalJSON(data []byte) error {
	v, err := value.Parse(string(data))
	if err != nil {
		return err
	}
	if v == nil {
		return nil // null
	}
	object, ok := v.(*value.Map)
	if !ok {
		return fmt.Errorf("%.40s is not a JSON object", data)
	}
	o.object = object
	return nil
}

// Lookup implements vtl.Source.
func (o jsonObject) Lookup(name string) (vtl.Value, bool) {
	v, ok := o.object.Get(name)
	if group, isGroup := v.(*value.Map); isGroup {
		return jsonObject{group}, true
	}
	return v, ok
}

// Keys implements vtl.Source.
func (o jsonObject) Keys() []string {
	if o.object == nil {
		return nil
	}
	return o.object.Keys()
}

// jsonTexts is a JSON object of strings.
type jsonTexts struct{ jsonObject }

// UnmarshalJSON implements json.Unmarshaler.
func (t *jsonTexts) UnmarshalJSON(data []byte) error {
	if err := t.jsonObject.UnmarshalJSON(data); err != nil {
		return err
	}
	for i := range t.object.Len() {
		if e := t.object.At(i); !isText(e.Value) {
			return fmt.Errorf("the value of %q is not a string", e.Key)
		}
	}
	return nil
}

func isText(v vtl.Value) bool {
	_, ok := v.(string)
	return ok
}

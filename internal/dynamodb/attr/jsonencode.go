package attr

import (
	"encoding/base64"

	"github.com/go-json-experiment/json/jsontext"
)

// MarshalJSONTo writes the wire form; an absent value is written as null.
func (v Value) MarshalJSONTo(enc *jsontext.Encoder) error {
	if v.Kind() == None {
		return enc.WriteToken(jsontext.Null)
	}
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	if err := enc.WriteToken(jsontext.String(v.kind.String())); err != nil {
		return err
	}
	if err := v.encodeBody(enc); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndObject)
}

func (v Value) encodeBody(enc *jsontext.Encoder) error {
	switch v.kind {
	case S, N:
		return enc.WriteToken(jsontext.String(v.text))
	case B:
		return enc.WriteToken(jsontext.String(base64.StdEncoding.EncodeToString([]byte(v.text))))
	case BOOL:
		return enc.WriteToken(jsontext.Bool(v.yes))
	case NULL:
		return enc.WriteToken(jsontext.True)
	case M:
		return v.deep.m.MarshalJSONTo(enc)
	}
	if err := enc.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for _, m := range v.deep.set {
		if v.kind == BS {
			m = base64.StdEncoding.EncodeToString([]byte(m))
		}
		if err := enc.WriteToken(jsontext.String(m)); err != nil {
			return err
		}
	}
	for _, e := range v.deep.list {
		if err := e.MarshalJSONTo(enc); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndArray)
}

// MarshalJSONTo writes a JSON object of attributes.
func (it Item) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for name, v := range it {
		if err := enc.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := v.MarshalJSONTo(enc); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

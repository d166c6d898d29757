package schema

import "strings"

// Template returns a mapping template that makes a sample of what a schema
// describes, members in the order of the schema.
func Template(source string) string {
	var b strings.Builder
	b.WriteString("#set($inputRoot = $input.path('$'))\n")
	writeSample(&b, []byte(source), "$inputRoot", "")
	return b.String()
}

func writeSample(b *strings.Builder, schema []byte, from, indent string) {
	keywords := members(schema)
	switch kind := string(find(keywords, "type")); {
	case kind == `"string"`:
		b.WriteString(`"foo"`)
	case kind == `"number"` || kind == `"integer"`:
		b.WriteString("42")
	case kind == `"boolean"`:
		b.WriteString("true")
	case kind == `"null"`:
		b.WriteString("null")
	case kind == `"array"`:
		b.WriteString("[\n" + indent + "#foreach($elem in " + from + ")\n" + indent + "  ")
		writeSample(b, find(keywords, "items"), "$elem", indent+"  ")
		b.WriteString("#if($foreach.hasNext),#end\n\n" + indent + "#end\n" + indent + "]")
	default:
		properties := members(find(keywords, "properties"))
		if len(properties) == 0 {
			b.WriteString("{ }")
			return
		}
		b.WriteString("{\n")
		for i, p := range properties {
			b.WriteString(indent + `  "` + p.name + `" : `)
			writeSample(b, p.value, from+"."+p.name, indent+"  ")
			if i < len(properties)-1 {
				b.WriteByte(',')
			}
			b.WriteByte('\n')
		}
		b.WriteString(indent + "}")
	}
}

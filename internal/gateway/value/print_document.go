package value

// What follows prints maps and lists that stand in a document's text without
// making their members and items.

// javaMap is java for the object at a mark.
func (p *printer) javaMap(d *Document, at, depth int) {
	p.out = append(p.out, '{')
	end := d.next(at)
	for q := at + 2; q < end; q = d.next(q) {
		if q > at+2 {
			p.out = append(p.out, ", "...)
		}
		p.out = append(append(p.out, d.key(d.tape[q])...), '=')
		q++
		var ok bool
		if p.out, ok = d.appendText(p.out, q); !ok {
			p.java(d.value(q), depth+1)
		}
	}
	p.out = append(p.out, '}')
}

func (p *printer) jsonMap(d *Document, at, depth int) {
	p.out = append(p.out, '{')
	end := d.next(at)
	for q := at + 2; q < end; q = d.next(q) {
		if q > at+2 {
			p.out = append(p.out, ',')
		}
		p.out = append(appendQuoted(p.out, d.key(d.tape[q]), p.slash), ':')
		q++
		p.jsonMark(d, q, depth+1)
	}
	p.out = append(p.out, '}')
}

func (p *printer) jsonList(d *Document, at, depth int) {
	p.out = append(p.out, '[')
	end := d.next(at)
	for q := at + 2; q < end; q = d.next(q) {
		if q > at+2 {
			p.out = append(p.out, ',')
		}
		p.jsonMark(d, q, depth+1)
	}
	p.out = append(p.out, ']')
}

// jsonMark is json for the value at a mark.
func (p *printer) jsonMark(d *Document, at, depth int) {
	if p.full(depth) {
		return
	}
	switch m := d.tape[at]; m.kind() {
	case markString:
		p.out = appendQuoted(p.out, d.bytes(m), p.slash)
		return
	case markBare:
		var ok bool
		if p.out, ok = d.appendText(p.out, at); ok {
			return
		}
	}
	p.json(d.value(at), depth)
}

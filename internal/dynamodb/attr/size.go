package attr

// MaxItemSize is the largest item in bytes, names and values together.
const MaxItemSize = 400 << 10

// Size returns the bytes that the attributes count towards item size limits
// and capacity: names and values (Developer Guide, "DynamoDB Item sizes and
// formats", with the number rule as measured against the service).
func (it Item) Size() int {
	n := 0
	for name, v := range it {
		n += len(name) + v.Size()
	}
	return n
}

// Size returns the bytes that v counts.
func (v Value) Size() int {
	switch v.kind {
	case S, B:
		return len(v.text)
	case N:
		return numberSize(v.text)
	case NULL, BOOL:
		return 1
	case NS:
		n := 0
		for _, m := range v.deep.set {
			n += numberSize(m)
		}
		return n
	case SS, BS:
		n := 0
		for _, m := range v.deep.set {
			n += len(m)
		}
		return n
	case L:
		n := 3
		for _, e := range v.deep.list {
			n += 1 + e.Size()
		}
		return n
	case M:
		return 3 + len(v.deep.m) + v.deep.m.Size()
	}
	return 0
}

// numberSize charges one byte, and one per two significant digits on each
// side of the point, and one for a minus sign.
func numberSize(canonical string) int {
	d := takeApart(canonical)
	whole := min(max(d.point, 0), len(d.digits))
	n := 1 + (whole+1)/2 + (len(d.digits)-whole+1)/2
	if d.negative {
		n++
	}
	return n
}

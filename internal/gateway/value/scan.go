package value

// mark is one key or value of a document's text. A key's size has the depth of
// its object too: see keyInfo. An object or a list has two marks: in the first,
// start is how many members or items follow and the size is the position of the
// mark behind all of them; in the second, start is its number among the
// document's maps or lists, and info that of a key without a name.
type mark struct {
	start uint32 // offset in the text, behind the quote of a string
	info  uint32 // kind above sizeBits, size below: of a scalar, its bytes
}

const (
	sizeBits = 28
	sizeMask = 1<<sizeBits - 1
	// maxText is the longest text that offsets fit for.
	maxText = 1 << sizeBits

	keySizeBits = 20
	maxKeySize  = 1 << keySizeBits
	maxMarked   = 1 << (sizeBits - keySizeBits) // depth
)

// Kinds of marks.
const (
	markString  = iota << sizeBits // a string without escapes
	markEscaped                    // a string with escapes
	markBare                       // a number, true, false or null
	markKey
	markMap
	markList
)

// keyInfo is the info of an object's empty key. With it, a key is found by one
// comparison, and not taken for a value or for another object's.
func keyInfo(depth int) uint32 { return markKey | uint32(depth)<<keySizeBits }

func (m mark) kind() uint32    { return m.info &^ sizeMask }
func (m mark) size() uint32    { return m.info & sizeMask }
func (m mark) container() bool { return m.info >= markMap }

// scan notes the marks of a text in plain JSON. It tells false for any other,
// and for objects that repeat a key or escape one: those are Parse's.
func (d *Document) scan() bool {
	d.tape, d.nMaps, d.nLists = d.tape[:0], 0, 0
	if len(d.src) >= maxText {
		return false
	}
	end := d.scanValue(d.skip(0), 0)
	return end >= 0 && d.skip(end) == len(d.src) && d.tape[0].container()
}

func (d *Document) skip(i int) int {
	for i < len(d.src) && d.src[i] <= ' ' && (d.src[i] == ' ' || d.src[i] == '\n' || d.src[i] == '\r' || d.src[i] == '\t') {
		i++
	}
	return i
}

// scanValue notes the value at i and returns the offset behind it, or -1.
func (d *Document) scanValue(i, depth int) int {
	if i >= len(d.src) || depth >= min(maxDepth, maxMarked-1) {
		return -1
	}
	switch d.src[i] {
	case '"':
		end, escaped := stringEnd(d.src, i+1)
		if end < 0 {
			return -1
		}
		kind := uint32(markString)
		if escaped {
			kind = markEscaped
		}
		d.tape = append(d.tape, mark{uint32(i + 1), kind | uint32(end-i-1)})
		return end + 1
	case '{':
		return d.scanMap(i+1, depth+1)
	case '[':
		return d.scanList(i+1, depth+1)
	}
	end := bareEnd(d.src, i)
	if end >= 0 {
		d.tape = append(d.tape, mark{uint32(i), markBare | uint32(end-i)})
	}
	return end
}

// open notes a container; close completes it.
func (d *Document) open(kind uint32, number *int, depth int) (at int) {
	at = len(d.tape)
	d.tape = append(d.tape, mark{0, kind}, mark{uint32(*number), keyInfo(depth)})
	*number++
	return at
}

func (d *Document) close(at, count int) {
	d.tape[at].start = uint32(count)
	d.tape[at].info |= uint32(len(d.tape))
}

func (d *Document) scanMap(i, depth int) int {
	at, src := d.open(markMap, &d.nMaps, depth), d.src
	if i = d.skip(i); i < len(src) && src[i] == '}' {
		d.close(at, 0)
		return i + 1
	}
	var seen uint64 // which sums of keys there were
	for count := 1; i < len(src) && src[i] == '"'; count++ {
		start := i + 1
		end := quoteOrBackslash(src, start)
		if end >= len(src) || src[end] == '\\' || end-start >= maxKeySize {
			return -1
		}
		if count <= maxKeys {
			bit := uint64(1) << keySum(src[start:end])
			if seen&bit != 0 && d.repeats(at, src[start:end]) {
				return -1
			}
			seen |= bit
		}
		key := mark{uint32(start), keyInfo(depth) | uint32(end-start)}
		if i = end + 2; i >= len(src) || src[end+1] != ':' || src[i] <= ' ' { // there may be space
			if i = d.past(end+1, ':'); i < 0 {
				return -1
			}
		}
		if i = d.scanMember(key, i, depth); i < 0 {
			return -1
		}
		if i+1 < len(src) && src[i] == ',' && src[i+1] == '"' { // as most are
			i++
			continue
		}
		if i < len(src) && src[i] <= ' ' {
			i = d.skip(i)
		}
		if i < len(src) && src[i] == '}' {
			d.close(at, count)
			return i + 1
		}
		if i = d.past(i, ','); i < 0 {
			return -1
		}
	}
	return -1
}

// past returns the offset behind the byte c, which must be next, and behind
// the space around it; or -1.
func (d *Document) past(i int, c byte) int {
	if i < len(d.src) && d.src[i] <= ' ' {
		i = d.skip(i)
	}
	if i >= len(d.src) || d.src[i] != c {
		return -1
	}
	if i++; i < len(d.src) && d.src[i] <= ' ' {
		i = d.skip(i)
	}
	return i
}

// scanMember notes a key and its value, which is at i.
func (d *Document) scanMember(key mark, i, depth int) int {
	src := d.src
	if i >= len(src) {
		return -1
	}
	switch c := src[i]; {
	case c == '"':
		if end := quoteOrBackslash(src, i+1); end < len(src) && src[end] == '"' {
			d.tape = append(d.tape, key, mark{uint32(i + 1), markString | uint32(end-i-1)})
			return end + 1
		}
	case c != '{' && c != '[':
		end := bareEnd(src, i)
		if end >= 0 {
			d.tape = append(d.tape, key, mark{uint32(i), markBare | uint32(end-i)})
		}
		return end
	}
	d.tape = append(d.tape, key)
	return d.scanValue(i, depth)
}

func (d *Document) scanList(i, depth int) int {
	at, src := d.open(markList, &d.nLists, depth), d.src
	if i = d.skip(i); i < len(src) && src[i] == ']' {
		d.close(at, 0)
		return i + 1
	}
	for count := 1; ; count++ {
		if i = d.scanValue(i, depth); i < 0 {
			return -1
		}
		if i < len(src) && src[i] <= ' ' {
			i = d.skip(i)
		}
		if i < len(src) && src[i] == ']' {
			d.close(at, count)
			return i + 1
		}
		if i = d.past(i, ','); i < 0 {
			return -1
		}
	}
}

// keySum spreads keys over 64 numbers.
func keySum(key []byte) int {
	if len(key) == 0 {
		return 0
	}
	return (len(key)*7 + int(key[0])*3 + int(key[len(key)-1])*5) & 63
}

// repeats tells whether the object that is being read at that mark has the key.
func (d *Document) repeats(at int, key []byte) bool {
	info := d.tape[at+1].info | uint32(len(key))
	for p := at + 2; p < len(d.tape); p = d.next(p + 1) {
		if m := d.tape[p]; m.info == info && string(d.src[m.start:int(m.start)+len(key)]) == string(key) {
			return true
		}
	}
	return false
}

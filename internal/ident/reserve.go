package ident

import (
	"crypto/rand"
	"sync"
)

// reserve hands out random bytes that were read in bulk. A request needs four
// identifiers, and reading randomness costs more than making them. What has been
// handed out is erased here.
type reserve struct{}

type stock struct {
	bytes [1024]byte
	left  int
}

var stocks = sync.Pool{New: func() any { return new(stock) }}

// Read fills b. It never fails.
func (reserve) Read(b []byte) (int, error) {
	s := stocks.Get().(*stock)
	defer stocks.Put(s)
	for done := 0; done < len(b); {
		if s.left == 0 {
			rand.Read(s.bytes[:])
			s.left = len(s.bytes)
		}
		from := s.bytes[len(s.bytes)-s.left:]
		n := copy(b[done:], from)
		clear(from[:n])
		s.left -= n
		done += n
	}
	return len(b), nil
}

func reserved(n int) []byte {
	b := make([]byte, n)
	reserve{}.Read(b)
	return b
}

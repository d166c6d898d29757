package txn

import (
	"bytes"
	"slices"

	"github.com/butai-dev/butai/internal/store"
)

// Pages grow from the first size to the largest, so that a short scan reads
// little and a long one makes few round trips.
const (
	firstPage   = 64
	largestPage = 1024
)

// scan is one running Scan. No statement stays open between its pages, so a
// function may write and start other scans while it iterates. A write in the
// part of the range still to come makes the page in hand stale, and the scan
// reads on from the last key it yielded: every step shows the transaction's
// own state of that moment.
type scan struct {
	tx   *ReadTx
	rest store.Range // what is still to come; its moving bound is in last
	last []byte      // the last key yielded, our own copy
	past bool        // last is set
	page []store.KV
	more bool // the engine may hold pairs behind page
	size int
}

func (s *scan) run(yield func(store.KV, error) bool) {
	limited := s.rest.Limit > 0
	for {
		if err := s.fill(limited); err != nil {
			yield(store.KV{}, err)
			return
		}
		if len(s.page) == 0 {
			return
		}
		kv := s.page[0]
		s.page = s.page[1:]
		s.last, s.past = append(s.last[:0], kv.Key...), true
		if !yield(kv, nil) {
			return
		}
		if limited {
			if s.rest.Limit--; s.rest.Limit == 0 {
				return
			}
		}
	}
}

// fill makes the page non-empty if any pair is left.
func (s *scan) fill(limited bool) error {
	if err := s.tx.ready(); err != nil {
		return err
	}
	for len(s.page) == 0 && s.more {
		s.size = min(max(firstPage, 2*s.size), largestPage)
		r := s.remaining()
		r.Limit = s.size
		if limited {
			r.Limit = min(r.Limit, s.rest.Limit)
		}
		var err error
		if s.page, s.more, err = s.tx.reader.Page(r); err != nil {
			return s.tx.note(err)
		}
	}
	return nil
}

// remaining is the range behind the last key yielded.
func (s *scan) remaining() store.Range {
	r := s.rest
	switch {
	case !s.past:
	case r.Reverse:
		r.Hi = slices.Clone(s.last)
	default:
		// The smallest key after k is k followed by a zero byte.
		r.Lo = append(slices.Clone(s.last), 0)
	}
	return r
}

func (s *scan) wrote(key []byte) {
	if r := s.remaining(); bytes.Compare(key, r.Lo) >= 0 && (r.Hi == nil || bytes.Compare(key, r.Hi) < 0) {
		s.reread()
	}
}

func (s *scan) wroteRange(lo, hi []byte) {
	r := s.remaining()
	if (r.Hi == nil || bytes.Compare(lo, r.Hi) < 0) && (hi == nil || bytes.Compare(r.Lo, hi) < 0) {
		s.reread()
	}
}

// reread drops the page in hand. Writing into one's own scan tends to repeat,
// so the next pages are short again.
func (s *scan) reread() {
	s.page, s.more, s.size = nil, true, 0
}

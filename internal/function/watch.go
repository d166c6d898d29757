package function

import "time"

const (
	// watchPause is how often the watch looks, while there is anything to see.
	watchPause = patience / 2
	// watchLinger is how long it goes on without.
	watchLinger = time.Second
)

// watch makes sure that somebody looks after those that wait, so that calls
// need no timers of their own; e.mu is held.
func (e *Engine) watch() {
	if e.watched || e.closed {
		return
	}
	e.watched = true
	e.work.Add(1)
	go e.keepWatch()
}

// keepWatch looks every few milliseconds, as long as sandboxes are at work.
func (e *Engine) keepWatch() {
	defer e.work.Done()
	tick := time.NewTicker(watchPause)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-e.stop:
			return
		case now := <-tick.C:
			e.mu.Lock()
			logs, tired, active := e.look(now)
			if active {
				last = now
			} else if now.Sub(last) > watchLinger {
				e.watched = false
				e.mu.Unlock()
				return
			}
			e.mu.Unlock()
			for _, l := range logs {
				l.writer.passOn(l.call)
				if l.booting {
					l.of.watchBootWeight(now)
				} else {
					l.of.watchWeight(l.since, now)
				}
			}
			for _, i := range tired {
				i.freeze()
			}
		}
	}
}

// unread is a log that nobody has read for a while, and the call it is of.
type unread struct {
	writer  *logWriter
	call    int
	of      *instance
	booting bool      // it is in its init phase
	since   time.Time // when the call under way had its turn
}

// look puts those in a hurry who have waited for too long, takes back what
// waits behind slow calls, and returns the logs that should be read and the
// sandboxes that should be frozen; e.mu is held.
func (e *Engine) look(now time.Time) (logs []unread, freezing []*instance, active bool) {
	for i := range e.booting {
		logs = append(logs, unread{i.log, i.log.call(), i, true, now})
	}
	active = len(e.booting) > 0
	for _, p := range e.pools {
		active = active || len(p.busy) > 0 || len(p.waiting) > 0
		for _, i := range p.busy {
			switch slow := now.Sub(i.since) >= patience; {
			case !slow || i.sending:
			case len(i.ahead) > 0:
				e.takeBack(p, i)
			default:
				logs = append(logs, unread{i.log, i.log.call(), i, false, i.since})
			}
		}
		e.lookAtLine(p, now)
		list, more := e.tired(p, now)
		freezing, active = append(freezing, list...), active || more
	}
	return logs, freezing, active
}

// watchBoot has the log of a sandbox read while it boots, until the returned
// function is called.
func (e *Engine) watchBoot(i *instance) (done func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.booting[i] = struct{}{}
	e.watch()
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.booting, i)
	}
}

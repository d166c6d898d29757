package sandbox

import "errors"

// Program is a program that runs beside a sandbox's own.
type Program struct {
	Args []string // Args[0] is a path, as seen from inside
	Env  []string // the whole environment
	Dir  string   // working directory, as seen from inside
}

var errNoCompanions = errors.New("sandbox: programs beside a function's own need the namespaces rung of isolation, which this host does not offer")

var errNoGuests = errors.New("sandbox: programs beside a function's own (external extensions) don't run under gVisor yet: take --isolation=namespaces for those")

// Companion is a Program that has been started.
type Companion struct {
	done chan struct{}
	exit Exit
}

// Done is closed when it has ended.
func (c *Companion) Done() <-chan struct{} { return c.done }

// Exit tells how it ended. It blocks until Done.
func (c *Companion) Exit() Exit {
	<-c.done
	return c.exit
}

// Companions are those of Spec.Companions, in their order.
func (p *Process) Companions() []*Companion { return p.companions }

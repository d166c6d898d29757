//go:build linux

package sandbox

import (
	"os/exec"
	"runtime"
	"sync"
)

// spawner starts commands from one operating system thread that lives as long
// as the program. The parent-death signal follows the *thread* that forked, so
// a thread that the runtime retires would take its sandboxes along.
type spawner struct {
	once sync.Once
	jobs chan spawnJob
}

type spawnJob struct {
	cmd  *exec.Cmd
	done chan error
}

func (s *spawner) start(cmd *exec.Cmd) error {
	s.once.Do(func() {
		s.jobs = make(chan spawnJob)
		go s.run()
	})
	job := spawnJob{cmd: cmd, done: make(chan error, 1)}
	s.jobs <- job
	return <-job.done
}

// close ends the thread, and with it all sandboxes that are still there.
// Nothing may be started afterwards.
func (s *spawner) close() {
	s.once.Do(func() {})
	if s.jobs != nil {
		close(s.jobs)
	}
}

func (s *spawner) run() {
	runtime.LockOSThread()
	for job := range s.jobs {
		job.done <- job.cmd.Start()
	}
}

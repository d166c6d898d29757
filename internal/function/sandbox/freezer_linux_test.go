package sandbox

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestFreeze freezes and thaws a shell that prints all the time, by each means
// that this host has, and kills it while it is frozen.
func TestFreeze(t *testing.T) {
	t.Parallel()
	for _, means := range []string{"", "unified", "freezer"} { // "" for signals
		t.Run(means, func(t *testing.T) {
			t.Parallel()
			h, err := NewHost(t.TempDir(), Auto(), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.Level(); err != nil {
				t.Fatal(err)
			}
			mounts := t.TempDir()
			if means != "" {
				if _, err := os.Stat("/sys/fs/cgroup/" + means); err != nil {
					t.Skip("this host has no such hierarchy")
				}
				if err := os.Symlink("/sys/fs/cgroup/"+means, filepath.Join(mounts, means)); err != nil {
					t.Fatal(err)
				}
			}
			h.freezers.once.Do(func() { h.freezers.find("/proc/self/cgroup", mounts, h.name) })
			if means != "" && h.freezers.dir == "" {
				t.Skip("no control group can be made there")
			}
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			p, err := h.Start(&Spec{
				Args: []string{"/bin/sh", "-c", "while echo; do sleep 0.001; done"}, Env: []string{"PATH=/bin:/usr/bin"}, Dir: "/",
				TmpMB: 1, Log: write, Freezable: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			write.Close()
			printed := make(chan int)
			go func() {
				defer close(printed)
				buf := make([]byte, 4096)
				for {
					n, err := read.Read(buf)
					if err == io.EOF {
						return
					}
					printed <- n
				}
			}()
			for range 2 {
				<-printed
				if err := p.Freeze(); err != nil {
					t.Fatal(err)
				}
				quiet := time.NewTimer(100 * time.Millisecond)
				for late := 0; ; late++ {
					select {
					case <-printed:
						if late > 3 { // some may have been on its way
							t.Fatal("it prints on")
						}
						continue
					case <-quiet.C:
					}
					break
				}
				if err := p.Thaw(); err != nil {
					t.Fatal(err)
				}
			}
			<-printed
			if err := p.Freeze(); err != nil {
				t.Fatal(err)
			}
			p.Kill()
			for range printed { // until the pipe is closed
			}
			<-p.Done()
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(h.freezers.dir); h.freezers.dir != "" && !os.IsNotExist(err) {
				t.Errorf("%s is left behind", h.freezers.dir)
			}
		})
	}
}

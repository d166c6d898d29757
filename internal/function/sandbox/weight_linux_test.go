package sandbox

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestWeight weighs a real sandbox that does nothing but run.
func TestWeight(t *testing.T) {
	t.Parallel()
	h := newHost(t, Namespaces)
	if why := h.cgroups.processor.why; why != "" {
		t.Skip(why)
	}
	p, err := h.Start(&Spec{Args: []string{"/bin/sh", "-c", "while :; do :; done"}, Dir: "/", Weight: 50})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { p.Kill(); <-p.Done() }()
	share := &p.group.share
	file, scale := "cpu.shares", ordinaryShares
	if share.v2 {
		file, scale = "cpu.weight", Ordinary
	}
	for _, weight := range []int{7, 1, Ordinary} {
		if err := p.SetWeight(weight); err != nil {
			t.Fatal(err)
		}
		if got, want := content(t, filepath.Join(share.dir, file)), strconv.Itoa(weight*scale/Ordinary)+"\n"; got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
	for {
		used, err := p.ProcessorTime()
		if err != nil {
			t.Fatal(err)
		}
		if used > 10*time.Millisecond {
			break
		}
		time.Sleep(time.Millisecond)
	}
	p.Kill()
	<-p.Done()
	if err := p.SetWeight(7); err != nil {
		t.Errorf("after the end: %v", err)
	}
	h.ending.Wait()
	if _, err := os.Stat(share.dir); err == nil {
		t.Errorf("%s is left behind", share.dir)
	}
}

func TestVersion1Processor(t *testing.T) {
	root := fakeTree(t, map[string]string{
		"cpu/me/b-trial/cpu.shares":       "1024\n",
		"cpu/me/b-one/cpu.shares":         "",
		"cpuacct/me/b-one/cpuacct.usage":  "42000\n",
		"cpu/me/butai-999999999-1-x/file": "",
	})
	p := findProcessor(root, map[string]string{"cpu": "/me", "cpuacct": "/me"}, "b")
	if p.why != "" {
		t.Fatal(p.why)
	}
	s, err := p.create("", "one")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.weigh(50); err != nil || content(t, filepath.Join(root, "cpu/me/b-one/cpu.shares")) != "512" {
		t.Errorf("weigh: %v", err)
	}
	if used, err := s.used(); err != nil || used != 42*time.Microsecond {
		t.Errorf("used %v, %v", used, err)
	}
	if p := findProcessor(root, map[string]string{}, "b"); p.why == "" || p.dir != "" {
		t.Errorf("without the controller: %+v", p)
	}
}

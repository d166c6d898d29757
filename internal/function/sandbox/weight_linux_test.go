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
		if err := p.SetWeight(weight, true); err != nil { // or a weight like any other
			t.Fatal(err)
		}
		if share.idle && content(t, filepath.Join(share.dir, idleFile)) != "1\n" {
			t.Error("it isn't idle")
		}
		if err := p.SetWeight(weight, false); err != nil {
			t.Fatal(err)
		}
		if share.idle && content(t, filepath.Join(share.dir, idleFile)) != "0\n" {
			t.Error("it is idle")
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
	if err := p.SetWeight(7, true); err != nil {
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
		"cpu/me/b-trial/cpu.idle":         "0\n",
		"cpu/me/b-one/cpu.shares":         "",
		"cpu/me/b-one/cpu.idle":           "0",
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
	shares, idle := filepath.Join(root, "cpu/me/b-one/cpu.shares"), filepath.Join(root, "cpu/me/b-one/cpu.idle")
	if err := s.weigh(50, true); err != nil || content(t, shares) != "" || content(t, idle) != "1" {
		t.Errorf("weigh, idle: %v", err)
	}
	if err := s.weigh(50, false); err != nil || content(t, shares) != "512" || content(t, idle) != "0" {
		t.Errorf("weigh: %v", err)
	}
	// Before Linux 5.15 the weight is all there is.
	s.idle = false
	if err := s.weigh(25, true); err != nil || content(t, shares) != "256" || content(t, idle) != "0" {
		t.Errorf("weigh without idle groups: %v", err)
	}
	if used, err := s.used(); err != nil || used != 42*time.Microsecond {
		t.Errorf("used %v, %v", used, err)
	}
	if p := findProcessor(root, map[string]string{}, "b"); p.why == "" || p.dir != "" {
		t.Errorf("without the controller: %+v", p)
	}
}

func TestProcessorRung(t *testing.T) {
	for _, c := range []struct {
		p    processor
		want Rung
	}{
		{processor{why: "no cpu controller"}, Rung{"processor", false, "no cpu controller"}},
		{processor{}, Rung{"processor", true, "v: calls that last weigh less (from Linux 5.15 on they make room at once)"}},
		{processor{idle: true}, Rung{"processor", true, "v: calls that last make room for others"}},
	} {
		if got := c.p.rung("v"); got != c.want {
			t.Errorf("%+v: %+v", c.p, got)
		}
	}
}

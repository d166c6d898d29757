package xray_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/xray"
)

func TestNewTraces(t *testing.T) {
	t.Parallel()
	header := xray.New(time.Unix(0x5f000001, 0), "arn")
	if !regexp.MustCompile(`^Root=1-5f000001-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0$`).MatchString(header) {
		t.Errorf("a new trace is %q", header)
	}
	h, sampled := xray.Parse(header), xray.Parse(xray.Sample(header))
	if h.Sampled != "0" || sampled.Sampled != "1" || sampled.Root != h.Root || sampled.Parent != h.Parent {
		t.Errorf("%q is read as %+v, and sampled as %+v", header, h, sampled)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]xray.Header{
		"":                                   {},
		"Root=1-2-3":                         {Root: "1-2-3"},
		"Sampled=1; Self=4 ;Parent=5;Root=6": {Root: "6", Parent: "5", Sampled: "1"},
		"nonsense;=;Root":                    {},
	} {
		if got := xray.Parse(header); got != want {
			t.Errorf("%q is read as %+v, want %+v", header, got, want)
		}
	}
}

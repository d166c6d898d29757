package gateway

import (
	"regexp"
	"testing"

	"github.com/butai-dev/butai/internal/xray"
)

func TestTrace(t *testing.T) {
	t.Parallel()
	const root = "Root=1-5759e988-bd862e3fe1be46a994272793"
	for _, tt := range []struct{ sent, function, event string }{
		{"", `^Root=1-69a7bdbf-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0$`, `^Root=1-69a7bdbf-[0-9a-f]{24}$`},
		{root, `^` + root + `;Parent=[0-9a-f]{16};Sampled=0;Lineage=`, `^` + root + `;Parent=[0-9a-f]{16};Sampled=0$`},
		{root + ";Parent=53995c3f42cd8ad8", `^` + root + `;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=`, `^` + root + `;Parent=53995c3f42cd8ad8;Sampled=1$`},
		{root + ";Parent=53995c3f42cd8ad8;Sampled=0", `;Sampled=0;Lineage=`, `;Sampled=0$`},
		{"nonsense", `^Root=1-69a7bdbf-`, `^Root=1-69a7bdbf-`},
	} {
		tr := newTrace(tt.sent, testTime)
		if got := tr.forFunction(xray.Lineage("arn")); !regexp.MustCompile(tt.function).MatchString(got) {
			t.Errorf("%q: function sees %s", tt.sent, got)
		}
		if got := tr.forRequest(); !regexp.MustCompile(tt.event).MatchString(got) {
			t.Errorf("%q: event has %s", tt.sent, got)
		}
	}
}

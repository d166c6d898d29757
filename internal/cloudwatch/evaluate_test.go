package cloudwatch

import (
	"testing"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/wire"
)

// TestJudge holds alarms to the tables of the User Guide ("How the alarm state
// is evaluated when data is missing"): windows oldest first, X breaches, 0
// doesn't, - is missing; the states are those for missing, ignore, breaching
// and notBreaching data. "" keeps the state.
func TestJudge(t *testing.T) {
	t.Parallel()
	const ok, alarmed, insufficient, keep = cloudwatchapi.StateValueOK, cloudwatchapi.StateValueALARM, cloudwatchapi.StateValueINSUFFICIENTDATA, ""
	for _, tt := range []struct {
		windows      string
		need, enough int
		want         [4]string
	}{
		{"0-X-X", 3, 3, [4]string{ok, ok, ok, ok}},
		{"----0", 3, 3, [4]string{ok, ok, ok, ok}},
		{"-----", 3, 3, [4]string{insufficient, keep, alarmed, ok}},
		{"0XX-X", 3, 3, [4]string{alarmed, alarmed, alarmed, alarmed}},
		{"--X--", 3, 3, [4]string{alarmed, keep, alarmed, ok}},
		{"----X", 3, 3, [4]string{keep, keep, alarmed, ok}},
		{"0-X-X", 3, 2, [4]string{alarmed, alarmed, alarmed, alarmed}},
		{"00X0X", 3, 2, [4]string{alarmed, alarmed, alarmed, alarmed}},
		{"0-X--", 3, 2, [4]string{ok, ok, alarmed, ok}},
		{"----0", 3, 2, [4]string{ok, ok, alarmed, ok}},
	} {
		for i, treat := range []string{"missing", "ignore", "breaching", "notBreaching"} {
			e := &evaluation{need: tt.need, enough: tt.enough, period: 60, alarm: &alarm{MetricAlarm: cloudwatchapi.MetricAlarm{
				TreatMissingData: &treat, Threshold: wire.Ptr(0.5), ComparisonOperator: wire.Ptr("GreaterThanThreshold"),
			}}}
			for j, c := range tt.windows {
				w := watched{at: int64(j * 60)}
				switch c {
				case 'X':
					w.value = wire.Ptr(1.0)
				case '0':
					w.value = wire.Ptr(0.0)
				}
				e.windows = append(e.windows, w)
			}
			if state, reason := e.judge(); state != tt.want[i] {
				t.Errorf("%s, %d of %d, %s: %q, want %q (%s)", tt.windows, tt.enough, tt.need, treat, state, tt.want[i], reason)
			}
		}
	}
}

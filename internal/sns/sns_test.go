package sns

import (
	"slices"
	"testing"
	"time"
)

// TestDelays follows deliveries through the phases of their retries (Developer
// Guide: "Amazon SNS message delivery retries").
func TestDelays(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		policy retryPolicy
		want   []time.Duration // the first ones
		total  int
	}{
		"endpoints": {endpointRetries, []time.Duration{20 * time.Second, 20 * time.Second, 20 * time.Second}, 3},
		"services":  {serviceRetries, []time.Duration{0, 0, 0, time.Second, time.Second}, 100_015},
		"all phases": {
			retryPolicy{MinDelay: 1, MaxDelay: 5, Retries: 8, NoDelayRetries: 1, MinDelayRetries: 1, MaxDelayRetries: 2, Backoff: "linear"},
			[]time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second, 5 * time.Second}, 8,
		},
	} {
		var got []time.Duration
		for n := range tt.want {
			wait, _ := tt.policy.delay(n)
			got = append(got, wait)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: the waits are %v, want %v", name, got, tt.want)
		}
		if _, more := tt.policy.delay(tt.total - 1); !more {
			t.Errorf("%s: there is no repetition %d", name, tt.total)
		}
		if _, more := tt.policy.delay(tt.total); more {
			t.Errorf("%s: there are more than %d repetitions", name, tt.total)
		}
	}
	if last, _ := serviceRetries.delay(14); last != 20*time.Second {
		t.Errorf("the last wait of the backoff phase is %v", last)
	}
}

// TestDeliveryPolicies tells policies that won't do.
func TestDeliveryPolicies(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		`{"http": {"defaultHealthyRetryPolicy": {"numRetries": 5}}}`:             true,
		`{"http": {"defaultHealthyRetryPolicy": {"numRetries": 101}}}`:           false,
		`{"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 30}}}`:        false, // above the greatest
		`{"http": {"defaultHealthyRetryPolicy": {"numNoDelayRetries": 4}}}`:      false, // more than there are
		`{"http": {"defaultHealthyRetryPolicy": {"backoffFunction": "random"}}}`: false,
		`{"http": {"defaultThrottlePolicy": {"maxReceivesPerSecond": 1}}}`:       false,
		`{"http": {"colour": "red"}}`:                                            false,
		`{`:                                                                      false,
	} {
		if _, err := parseTopicPolicy(text); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

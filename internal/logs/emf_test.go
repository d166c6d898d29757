package logs

import "testing"

func TestEmbeddedSamplesBehindPrefix(t *testing.T) {
	t.Parallel()
	const doc = `{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"N","Metrics":[{"Name":"lat"}]}]},"lat":5}`
	for message, want := range map[string]int{
		doc: 1,
		"2026-11-29T02:44:57.819Z\t8a6fefa2-9aab-4ab9-9596-77a84f1c0d4d\tINFO\t" + doc + "\n": 1,
		"a\tb\tINFO\t" + doc: 0,
		"text " + doc:        0,
	} {
		if got := len(embeddedSamples(event{message: message})); got != want {
			t.Errorf("%q: %d samples, want %d", message, got, want)
		}
	}
}

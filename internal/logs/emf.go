package logs

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/metric"
)

// Bounds of the Embedded Metric Format (CloudWatch User Guide, "Specification:
// Embedded metric format").
const (
	emfMetrics    = 100
	emfDimensions = 30
	emfValues     = 100
)

// embedded is what an event in the format says about itself.
type embedded struct {
	AWS *struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct {
				Name, Unit        string
				StorageResolution int
			}
		}
	} `json:"_aws"`
}

// embeddedSamples are the metrics in an event in the Embedded Metric Format;
// none if it is no such event, or isn't as the specification wants it.
func embeddedSamples(e event) []metric.Sample {
	if !strings.Contains(e.message, `"_aws"`) {
		return nil
	}
	text := []byte(emfText(e.message))
	var doc embedded
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &doc) != nil || doc.AWS == nil || json.Unmarshal(text, &members) != nil {
		return nil
	}
	at := time.UnixMilli(doc.AWS.Timestamp).UTC()
	if doc.AWS.Timestamp == 0 {
		at = time.UnixMilli(e.ts).UTC()
	}
	var out []metric.Sample
	for _, directive := range doc.AWS.CloudWatchMetrics {
		if directive.Namespace == "" || len(directive.Metrics) > emfMetrics {
			continue
		}
		sets := directive.Dimensions
		if sets == nil {
			sets = [][]string{nil}
		}
		for _, m := range directive.Metrics {
			values, ok := numbers(members[m.Name])
			if !ok {
				continue
			}
			for _, names := range sets {
				dimensions, ok := texts(names, members)
				if !ok {
					continue
				}
				sample := metric.Sample{
					ID: metric.ID{Namespace: directive.Namespace, Name: m.Name, Dimensions: dimensions}, Unit: metric.None, Time: at,
					Fine: m.StorageResolution == 1,
				}
				if m.Unit != "" {
					sample.Unit = m.Unit
				}
				for _, v := range values {
					sample.Set.Add(v)
				}
				out = append(out, sample)
			}
		}
	}
	return out
}

// emfText is an event's document: the whole of it, or what follows the time, the
// request and the level that Lambda's Node.js writes before what console.log is
// given. aws-embedded-metrics writes so, and CloudWatch takes it.
func emfText(message string) string {
	if parts := strings.SplitN(message, "\t", 4); len(parts) == 4 {
		if _, err := time.Parse(time.RFC3339Nano, parts[0]); err == nil {
			return parts[3]
		}
	}
	return message
}

// numbers reads a metric's member: a number or a list of numbers.
func numbers(raw json.RawMessage) ([]float64, bool) {
	var one float64
	if raw == nil {
		return nil, false
	}
	if json.Unmarshal(raw, &one) == nil {
		return []float64{one}, true
	}
	var many []float64
	if json.Unmarshal(raw, &many) != nil || len(many) == 0 || len(many) > emfValues {
		return nil, false
	}
	return many, true
}

// texts reads the members that a set of dimensions names.
func texts(names []string, members map[string]json.RawMessage) ([]metric.Dimension, bool) {
	if len(names) > emfDimensions {
		return nil, false
	}
	out := make([]metric.Dimension, len(names))
	for i, name := range names {
		var value string
		if json.Unmarshal(members[name], &value) != nil || value == "" {
			return nil, false
		}
		out[i] = metric.Dimension{Name: name, Value: value}
	}
	return metric.Sorted(out), true
}

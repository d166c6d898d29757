package cborbody_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/cborbody"
)

var schema = cloudwatchapi.Service.Schema

func input(name string) wire.ShapeID { return cloudwatchapi.Service.Operation(name).Input }

// TestDecode reads bodies byte by byte: definite and indefinite lengths, whole
// numbers where a double belongs, null, unknown members, timestamps with and
// without fractions (RFC 8949, section 3).
func TestDecode(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_700_000_000_500).UTC()
	want := &cloudwatchapi.PutMetricDataInput{
		Namespace: wire.Ptr("a"),
		MetricData: []cloudwatchapi.MetricDatum{{
			MetricName: wire.Ptr("m"), Value: wire.Ptr(3.0), Timestamp: &at, StorageResolution: wire.Ptr[int64](60),
		}},
	}
	const datum = "6a4d65747269634e616d65" + "616d" + // MetricName: "m"
		"6556616c7565" + "03" + // Value: 3
		"6954696d657374616d70" + "c1fb41d954fc40200000" + // Timestamp: 1(1700000000.5)
		"7153746f726167655265736f6c7574696f6e" + "183c" // StorageResolution: 60
	for name, body := range map[string]string{
		"definite":   "a2" + "694e616d657370616365" + "6161" + "6a4d657472696344617461" + "81" + "a4" + datum,
		"indefinite": "bf" + "694e616d657370616365" + "7f6161ff" + "6a4d657472696344617461" + "9f" + "bf" + datum + "ff" + "ff" + "ff",
		"null and unknown": "a4" + "694e616d657370616365" + "6161" + "6a4d657472696344617461" + "81" + "a4" + datum +
			"70456e746974794d657472696344617461" + "f6" + "6178" + "01",
	} {
		raw, err := hex.DecodeString(body)
		if err != nil {
			t.Fatal(err)
		}
		got := &cloudwatchapi.PutMetricDataInput{}
		if err := cborbody.Decode(schema, input("PutMetricData"), raw, got); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	for name, body := range map[string]string{
		"a list":      "80",
		"cut off":     "a1694e616d65737061",
		"wrong type":  "a1694e616d65737061636501",
		"half number": "a16a4d61785265636f726473fb3fe0000000000000", // MaxRecords: 0.5, of DescribeAlarms
	} {
		raw, _ := hex.DecodeString(body)
		if err := cborbody.Decode(schema, input("DescribeAlarms"), raw, &cloudwatchapi.DescribeAlarmsInput{}); err == nil && name != "wrong type" {
			t.Errorf("%s passes", name)
		}
		if err := cborbody.Decode(schema, input("PutMetricData"), raw, &cloudwatchapi.PutMetricDataInput{}); err == nil && name == "wrong type" {
			t.Errorf("%s passes", name)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	want := &cloudwatchapi.GetMetricDataOutput{MetricDataResults: []cloudwatchapi.MetricDataResult{{
		Id: wire.Ptr("m1"), Timestamps: []time.Time{time.Unix(1_700_000_000, 0).UTC()}, Values: []float64{1, 0.25}, StatusCode: wire.Ptr("Complete"),
	}}}
	id := cloudwatchapi.Service.Operation("GetMetricData").Output
	body, err := cborbody.Encode(schema, id, want)
	if err != nil {
		t.Fatal(err)
	}
	got := &cloudwatchapi.GetMetricDataOutput{}
	if err := cborbody.Decode(schema, id, body, got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

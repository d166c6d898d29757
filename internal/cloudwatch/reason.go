package cloudwatch

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/wire"
)

func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// reason is the sentence that says why (its forms are recorded).
func (e *evaluation) reason(points []watched, missing int, alarm bool) string {
	if len(points) == 0 {
		treated := map[string]string{"breaching": "Breaching", "notBreaching": "NonBreaching"}[wire.Val(e.TreatMissingData)]
		return fmt.Sprintf("Threshold Crossed: no datapoints were received for %s and %s treated as [%s].",
			counted(e.need, "period", "periods"), counted(missing, "missing datapoint was", "missing datapoints were"), treated)
	}
	cmp := comparisons[*e.ComparisonOperator]
	var shown []string
	for _, w := range points {
		if cmp.breaches(*w.value, *e.Threshold) == alarm {
			shown = append(shown, wire.JavaDouble(*w.value)+" ("+time.Unix(w.at, 0).UTC().Format("02/01/06 15:04:05")+")")
		}
	}
	was, not := "was", ""
	if len(shown) != 1 {
		was = "were"
	}
	if !alarm {
		not = "not "
	}
	if e.enough < e.need {
		direction := "OK -> ALARM"
		if !alarm {
			direction = "ALARM -> OK"
		}
		least := e.enough
		if !alarm {
			least = e.need - e.enough + 1
		}
		return fmt.Sprintf("Threshold Crossed: %d out of the last %s [%s] %s %s%s the threshold (%s) (minimum %s for %s transition).",
			len(shown), counted(e.need, "datapoint", "datapoints"), strings.Join(shown, ", "), was, not, cmp.text, wire.JavaDouble(*e.Threshold),
			counted(least, "datapoint", "datapoints"), direction)
	}
	return fmt.Sprintf("Threshold Crossed: %s [%s] %s %s%s the threshold (%s).",
		counted(len(shown), "datapoint", "datapoints"), strings.Join(shown, ", "), was, not, cmp.text, wire.JavaDouble(*e.Threshold))
}

// reasonTime is how times print in StateReasonData.
const reasonTime = "2006-01-02T15:04:05.000-0700"

// reasonData is StateReasonData (recorded).
func (e *evaluation) reasonData(now time.Time) string {
	type seen struct {
		Timestamp   string   `json:"timestamp"`
		SampleCount *float64 `json:"sampleCount,omitempty"`
		Value       *float64 `json:"value,omitempty"`
	}
	data := struct {
		Version   string    `json:"version"`
		QueryDate string    `json:"queryDate"`
		StartDate string    `json:"startDate,omitempty"`
		Unit      string    `json:"unit,omitempty"`
		Statistic string    `json:"statistic,omitempty"`
		Period    int64     `json:"period"`
		Recent    []float64 `json:"recentDatapoints"`
		Threshold float64   `json:"threshold"`
		Evaluated []seen    `json:"evaluatedDatapoints"`
	}{
		Version: "1.0", QueryDate: now.UTC().Format(reasonTime), Unit: e.unit, Statistic: e.stat, Period: e.period,
		Recent: []float64{}, Threshold: *e.Threshold, Evaluated: []seen{},
	}
	for _, w := range e.windows[max(0, len(e.windows)-e.need):] {
		at := time.Unix(w.at, 0).UTC().Format(reasonTime)
		x := seen{Timestamp: at}
		if w.value != nil {
			if data.StartDate == "" {
				data.StartDate = at
			}
			x.Value, data.Recent = w.value, append(data.Recent, *w.value)
			if w.samples > 0 {
				x.SampleCount = &w.samples
			}
		}
		data.Evaluated = append([]seen{x}, data.Evaluated...) // the newest first
	}
	text, err := json.Marshal(data)
	if err != nil {
		return ""
	}
	return string(text)
}

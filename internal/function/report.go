package function

import (
	"math"
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/xray"
)

// Statuses of report lines.
const (
	statusError   = "error"
	statusTimeout = "timeout"
)

// report is what Lambda writes to the log after each call.
type report struct {
	requestID string
	duration  time.Duration
	memoryMB  int
	usedMB    int
	init      time.Duration // 0 unless this call was the first
	restore   time.Duration // 0 unless this call was the first after a restore
	status    string
	errorType string
	started   time.Time
	// latency is how long the runtime took to begin its response; produced is
	// how long that is.
	latency  time.Duration
	produced int
	overhead time.Duration // what extensions took after the runtime; duration contains it
}

// appendText formats a report line. The order and the trailing tab are as AWS
// writes them. Since August 2025 the init phase is billed, so it counts in.
func (r *report) appendText(b []byte) []byte {
	b = append(b, "REPORT RequestId: "...)
	b = append(b, r.requestID...)
	b = append(b, "\tDuration: "...)
	b = appendMillis(b, r.duration)
	b = append(b, " ms\tBilled Duration: "...)
	b = strconv.AppendInt(b, r.billed(), 10)
	b = append(b, " ms\tMemory Size: "...)
	b = strconv.AppendInt(b, int64(r.memoryMB), 10)
	b = append(b, " MB\tMax Memory Used: "...)
	b = strconv.AppendInt(b, int64(r.usedMB), 10)
	b = append(b, " MB\t"...)
	if r.init > 0 {
		b = append(b, "Init Duration: "...)
		b = appendMillis(b, r.init)
		b = append(b, " ms\t"...)
	}
	if r.restore > 0 {
		b = append(b, "Restore Duration: "...)
		b = appendMillis(b, r.restore)
		b = append(b, " ms\tBilled Restore Duration: "...)
		b = strconv.AppendInt(b, billed(r.restore), 10)
		b = append(b, " ms\t"...)
	}
	b = appendStatus(b, r.status, r.errorType)
	return append(b, '\n')
}

// appendTrace formats the second line of the report of a traced call. The
// segment is the one that the function's own segments are part of.
func appendTrace(b []byte, header string) []byte {
	h := xray.Parse(header)
	b = append(b, "XRAY TraceId: "...)
	b = append(b, h.Root...)
	b = append(b, "\tSegmentId: "...)
	b = append(b, h.Parent...)
	b = append(b, "\tSampled: "...)
	b = strconv.AppendBool(b, h.Sampled == "1")
	return append(b, "\t\n"...)
}

// billed is what the call costs, in milliseconds. All of a restore is billed
// here: on AWS it is the part that runs code of the function or its runtime.
func (r *report) billed() int64 {
	if r.restore > 0 {
		return billed(r.duration) + billed(r.restore)
	}
	return billed(r.duration + r.init)
}

// restoreReport formats the line about a restore.
func restoreReport(took time.Duration, status, errorType string) string {
	b := append(make([]byte, 0, 120), "RESTORE_REPORT Restore Duration: "...)
	b = appendMillis(b, took)
	b = append(b, " ms"...)
	if status != "" {
		b = append(b, '\t')
	}
	b = appendStatus(b, status, errorType)
	return string(append(b, '\n'))
}

// initReport formats the line about an init phase that failed.
func initReport(took time.Duration, phase, status, errorType string) string {
	b := append(make([]byte, 0, 160), "INIT_REPORT Init Duration: "...)
	b = appendMillis(b, took)
	b = append(b, " ms\tPhase: "...)
	b = append(b, phase...)
	b = append(b, '\t')
	b = appendStatus(b, status, errorType)
	return string(append(b, '\n'))
}

func appendStatus(b []byte, status, errorType string) []byte {
	if status == "" {
		return b
	}
	b = append(b, "Status: "...)
	b = append(b, status...)
	if errorType != "" {
		b = append(b, "\tError Type: "...)
		b = append(b, errorType...)
	}
	return b
}

func appendMillis(b []byte, d time.Duration) []byte {
	return strconv.AppendFloat(b, millis(d), 'f', 2, 64)
}

// millis is a duration in milliseconds, with AWS's two digits.
func millis(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*100) / 100
}

// preciseMillis is a duration in milliseconds, with the three digits of AWS's
// events.
func preciseMillis(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

func billed(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

package function

import (
	"time"

	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/function/telemetry"
)

// What the platform tells of a sandbox's life, to extensions that subscribe and
// in JSON logs. Names, members and their order are as recorded from AWS
// (2024-05 and 2026-10), else those of the guide's "Telemetry API Event schema
// reference".

const (
	phaseInit   = "init"
	phaseInvoke = "invoke" // the second try, inside a call
)

type initStartRecord struct {
	Type            string `json:"initializationType"`
	Phase           string `json:"phase"`
	Version         string `json:"runtimeVersion,omitempty"`
	VersionARN      string `json:"runtimeVersionArn,omitempty"`
	Name            string `json:"functionName"`
	FunctionVersion string `json:"functionVersion"`
	Instance        string `json:"instanceId"`
	MaxMemory       int64  `json:"instanceMaxMemory"` // bytes
}

// initDoneRecord is about the runtime's part of the init phase.
type initDoneRecord struct {
	Type   string `json:"initializationType"`
	Phase  string `json:"phase"`
	Status string `json:"status"`
	Error  string `json:"errorType,omitempty"`
}

// initRecord is the platform.initReport record.
type initRecord struct {
	Type    string          `json:"initializationType"`
	Phase   string          `json:"phase"`
	Status  string          `json:"status"`
	Error   string          `json:"errorType,omitempty"`
	Metrics durationMetrics `json:"metrics"`
}

type durationMetrics struct {
	DurationMS float64 `json:"durationMs"`
}

type startRecord struct {
	RequestID string        `json:"requestId"`
	ARN       string        `json:"functionArn"`
	Version   string        `json:"version"`
	Tracing   *traceContext `json:"tracing,omitempty"`
}

// traceContext is there with active tracing only; the id of AWS's own span,
// spanId, is left out, as there is none.
type traceContext struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// doneRecord tells that the runtime has done with a call.
type doneRecord struct {
	RequestID string        `json:"requestId"`
	Status    string        `json:"status"`
	Error     string        `json:"errorType,omitempty"`
	Tracing   *traceContext `json:"tracing,omitempty"`
	Spans     []span        `json:"spans,omitempty"`
	Metrics   doneMetrics   `json:"metrics"`
}

type doneMetrics struct {
	DurationMS    float64 `json:"durationMs"`
	ProducedBytes int     `json:"producedBytes"`
}

type span struct {
	Name       string  `json:"name"`
	Start      string  `json:"start"`
	DurationMS float64 `json:"durationMs"`
}

func newSpan(name string, start time.Time, took time.Duration) span {
	return span{name, start.UTC().Format(logTimeFormat), preciseMillis(took)}
}

// endRecord is of the Logs API only.
type endRecord struct {
	RequestID string `json:"requestId"`
}

type restoreDoneRecord struct {
	Status string `json:"status"`
	Error  string `json:"errorType,omitempty"`
}

// Levels of events, as SystemLogLevel names them.
const (
	levelDebug = "DEBUG"
	levelInfo  = "INFO"
	levelWarn  = "WARN"
)

// levelOf is the level of an event (Lambda Developer Guide, "System log level
// event mapping").
func levelOf(record any) string {
	switch r := record.(type) {
	case initStartRecord:
		if r.Version == "" {
			return levelDebug
		}
	case initDoneRecord:
		return levelOfStatus(r.Status, levelDebug)
	case initRecord:
		if r.Type == initOnDemand {
			return levelOfStatus(r.Status, levelDebug)
		}
		return levelOfStatus(r.Status, levelInfo)
	case doneRecord:
		return levelOfStatus(r.Status, levelDebug)
	case reportRecord:
		return levelOfStatus(r.Status, levelInfo)
	case restoreDoneRecord:
		return levelOfStatus(r.Status, levelDebug)
	case restoreReportRecord:
		return levelOfStatus(r.Status, levelInfo)
	case extensionRecord:
		if r.Error != "" {
			return levelWarn
		}
	}
	return levelInfo
}

func levelOfStatus(status, success string) string {
	if status != statusSuccess {
		return levelWarn
	}
	return success
}

// logs reports whether an event of the platform is of the function's system log
// level.
func (s *Spec) logs(record any) bool {
	switch level := levelOf(record); s.SystemLevel {
	case levelDebug:
		return true
	case levelWarn:
		return level == levelWarn
	default:
		return level != levelDebug
	}
}

// telemeter begins a new process's telemetry, and forgets the one before it.
func (i *instance) telemeter() {
	hub := telemetry.NewHub(i.dial, i.logSubscription, i.engine.cfg.Clock.Now, i.spec.LogFormat == logFormatJSON)
	i.mu.Lock()
	i.hub, i.extensions, i.sealed, i.ending = hub, nil, false, endSpindown
	i.mu.Unlock()
	i.log.publish(hub)
}

// logSubscription writes that an extension has subscribed.
func (i *instance) logSubscription(s *telemetry.Subscription) {
	i.log.platform(s.Text, s.Kind, s.Record)
}

// logInitStart tells that an init phase begins. The text log has a line for the
// first only.
func (i *instance) logInitStart(phase string) {
	record := initStartRecord{
		Type: i.initType, Phase: phase, Name: i.spec.Name, FunctionVersion: i.spec.Version,
		Instance: i.log.instanceID(), MaxMemory: int64(i.spec.MemoryMB) << 20,
	}
	text := ""
	if i.spec.Image == nil { // an image has a runtime of its own
		record.Version, record.VersionARN = i.interpreter.RuntimeVersion(), runtimes.VersionARN(i.spec.Region, i.spec.Runtime)
		text = "INIT_START Runtime Version: " + record.Version + "\tRuntime Version ARN: " + record.VersionARN + "\n"
	}
	if phase != phaseInit {
		text = ""
	}
	i.log.platform(text, "platform.initStart", record)
}

// logRuntimeReady tells that the runtime has initialized.
func (i *instance) logRuntimeReady(phase string) {
	i.log.platform("", "platform.initRuntimeDone", initDoneRecord{Type: i.initType, Phase: phase, Status: statusSuccess})
}

// logInitFailed tells why an init phase has failed.
func (i *instance) logInitFailed(phase string, took time.Duration, f *initFailure) {
	status, kind := f.status()
	i.log.platform("", "platform.initRuntimeDone", initDoneRecord{i.initType, phase, status, kind})
	i.logExtensions()
	i.log.initFailed(took, phase, status, kind)
}

// farewell is how long a sandbox that has failed is kept for its subscribers to
// hear of it.
const farewell = 200 * time.Millisecond

// concludeInit says how an init phase went, and ends the process if it failed:
// whatever it printed comes before that, unless somebody in it is to be told.
func (i *instance) concludeInit(phase string, took time.Duration, f *initFailure) {
	switch {
	case f == nil:
		i.logExtensions()
		i.log.initSucceeded(took, phase)
		i.hub.CloseSubscriptions()
	case i.hub.Subscribed():
		i.logInitFailed(phase, took, f)
		i.hub.Flush(farewell)
		i.stop()
	default:
		i.stop()
		i.logInitFailed(phase, took, f)
	}
}

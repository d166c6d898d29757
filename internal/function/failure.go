package function

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/butai-dev/butai/internal/function/runtimeapi"
	"github.com/butai-dev/butai/internal/function/sandbox"
)

// Error types that the platform itself reports.
const (
	typeTimeout       = "Sandbox.Timedout"
	typeExit          = "Runtime.ExitError"
	typeOutOfMemory   = "Runtime.OutOfMemory"
	typeEntrypoint    = "Runtime.InvalidEntrypoint"
	typeWorkingDir    = "Runtime.InvalidWorkingDir"
	typeTooLarge      = "Function.ResponseSizeTooLarge"
	typeUnknown       = "Runtime.Unknown"
	typeUnknownByUser = "Function.Unknown"
)

// maxResponse is the largest response: 6 MB and some room for its envelope.
const maxResponse = 6*1024*1024 + 100

// platformError is the payload of a failure that the platform reports; it puts
// the type first, where runtimes put the message first.
func platformError(kind, message string) []byte {
	data, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	if err != nil {
		return []byte("null") // can't happen: two strings
	}
	return data
}

func timedOut(requestID string, limit time.Duration) outcome {
	message := fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", requestID, limit.Seconds())
	return outcome{payload: platformError(typeTimeout, message), failed: true, status: statusTimeout, dead: true}
}

// exited reports the end of the process in the midst of a call.
func exited(requestID string, exit sandbox.Exit) outcome {
	kind, text := exitText(exit)
	message := "RequestId: " + requestID + " Error: " + text
	return outcome{
		payload: platformError(kind, message), failed: true, status: statusError, errorType: kind, dead: true,
		message: message + "\n" + kind + "\n",
	}
}

// exitText words the end of a process as Lambda does.
func exitText(exit sandbox.Exit) (kind, text string) {
	switch {
	case strings.HasPrefix(exit.Setup, "the working directory "):
		return typeWorkingDir, exit.Setup
	case exit.Setup != "":
		return typeEntrypoint, exit.Setup
	case exit.OutOfMemory:
		return typeOutOfMemory, "Runtime exited with error: signal: killed"
	case exit.Signal != 0:
		return typeExit, "Runtime exited with error: signal: " + signalName(exit.Signal)
	case exit.Code != 0:
		return typeExit, fmt.Sprintf("Runtime exited with error: exit status %d", exit.Code)
	}
	return typeExit, "Runtime exited without providing a reason"
}

func signalName(s syscall.Signal) string { return s.String() }

func tooLarge() outcome {
	message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)
	// The message comes first in this one, as recorded.
	payload := fmt.Appendf(nil, `{"errorMessage":%q,"errorType":%q}`, message, typeTooLarge)
	return outcome{payload: payload, failed: true, status: statusError, errorType: typeTooLarge}
}

var knownType = regexp.MustCompile(`(Runtime|Function)\.[A-Z][a-zA-Z]+`)

// reportedType is what report lines show of a runtime's error type: names of
// the platform's vocabulary as they are, all others as unknown.
func reportedType(kind string) string {
	switch {
	case knownType.MatchString(kind):
		return kind
	case strings.HasPrefix(kind, "Function."):
		return typeUnknownByUser
	}
	return typeUnknown
}

// initFailure is how an init phase failed. Exactly one of its kinds is set.
type initFailure struct {
	payload  []byte            // the runtime's own error
	kind     string            // its error type
	exit     *sandbox.Exit     // the process ended
	fault    *runtimeapi.Fault // an extension failed
	timedOut bool
}

func (f *initFailure) status() (status, errorType string) {
	switch {
	case f.timedOut:
		return statusTimeout, ""
	case f.fault != nil:
		return statusError, f.fault.Type
	case f.exit != nil:
		kind, _ := exitText(*f.exit)
		return statusError, kind
	}
	return statusError, reportedType(f.kind)
}

// outcome is what the call gets during whose second init phase this happened.
func (f *initFailure) outcome(requestID string, limit time.Duration) outcome {
	switch {
	case f.timedOut:
		return timedOut(requestID, limit)
	case f.fault != nil:
		return crashed(requestID, f.fault)
	case f.exit != nil:
		return exited(requestID, *f.exit)
	}
	return outcome{payload: f.payload, failed: true, status: statusError, errorType: reportedType(f.kind), dead: true}
}

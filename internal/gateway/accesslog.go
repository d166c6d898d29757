package gateway

import (
	"crypto/md5"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/wire"
)

// accessLog is a stage's compiled access log settings.
type accessLog struct {
	group, stream string
	format        substitution
}

// compileAccessLog returns nil for a destination that is no log group.
func compileAccessLog(s *apigatewayapi.AccessLogSettings, log *slog.Logger) *accessLog {
	destination, format := wire.Val(s.DestinationArn), wire.Val(s.Format)
	if destination == "" || format == "" {
		return nil
	}
	a, err := arn.Parse(destination)
	name, ok := strings.CutPrefix(a.Resource, "log-group:")
	if err != nil || !ok || a.Service != "logs" {
		log.Warn("access logs go to CloudWatch log groups only", "destination", destination)
		return nil
	}
	name = strings.TrimSuffix(name, ":*")
	sum := md5.Sum([]byte(name))
	return &accessLog{group: name, stream: hex.EncodeToString(sum[:]), format: parseSubstitution(format)}
}

// line is the access log's line for x; what has no value prints as "-".
func (a *accessLog) line(x *exchange) string {
	return a.format.expand("-", func(group, name string) string {
		if group != contextGroup {
			return ""
		}
		v, _ := x.logVariable(name)
		return v
	})
}

// logVariable adds the variables that only access logs know (developer guide,
// "Variables for access logging for API Gateway").
func (x *exchange) logVariable(name string) (string, bool) {
	switch name {
	case "status":
		return strconv.Itoa(x.answer.status), true
	case "responseLength":
		return strconv.Itoa(x.answer.size), true
	case "responseLatency":
		return milliseconds(time.Since(x.begun)), true
	case "xrayTraceId":
		return x.trace.root, true
	case "endpointType":
		if x.st != nil {
			return x.st.endpointType, true
		}
	case "customDomain.basePathMatched":
		if x.target.Custom && x.target.RoutingRule == "" {
			return x.target.BasePath, true
		}
		return "", false
	case "customDomain.routingRuleIdMatched":
		return x.target.RoutingRule, x.target.RoutingRule != ""
	}
	if v, ok := x.integrationVariable(name); ok {
		return v, true
	}
	if v, ok := x.accessVariable(name); ok {
		return v, true
	}
	return x.variable(name)
}

func (x *exchange) integrationVariable(name string) (string, bool) {
	if !x.inbound.called || x.m.kind == typeMock {
		return "", false
	}
	switch name {
	case "integrationLatency", "integration.latency":
		return milliseconds(x.inbound.latency), true
	case "integrationStatus", "integration.integrationStatus":
		// For a proxy this is the status that the function's code returned.
		if x.m.kind == typeAWSProxy && x.failed == nil {
			return strconv.Itoa(x.answer.status), true
		}
		return strconv.Itoa(x.inbound.status), x.inbound.status != 0
	case "integration.status":
		return strconv.Itoa(x.inbound.status), x.inbound.status != 0
	case "integration.requestId", "awsEndpointRequestId":
		return x.inbound.requestID, true
	case "integrationErrorMessage", "integration.error":
		if x.failed != nil && len(x.failed.cause) > 0 {
			return x.failed.cause[len(x.failed.cause)-1], true
		}
	}
	return "", false
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// flushLogs hands the request's log lines to the sink once the answer is on
// its way to the client.
func (x *exchange) flushLogs(w http.ResponseWriter) {
	st := x.st
	if st == nil || st.access == nil && x.log == nil {
		return
	}
	_ = http.NewResponseController(w).Flush() // a writer that cannot flush sends at the end
	if st.access != nil {
		x.gw.logs.Put(st.account, st.region, st.access.group, st.access.stream,
			[]LogEvent{{Time: x.started, Message: st.access.line(x)}})
	}
	if x.log != nil && len(x.log.events) > 0 {
		x.gw.logs.Put(st.account, st.region, st.logGroup, st.logStream, x.log.events)
	}
}

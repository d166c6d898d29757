package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/iam"
	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
)

// awsServices lets the gateway's integrations call AWS services: as the
// integration's role, signed, through the same handler as every client.
type awsServices struct {
	iam      *iam.Service
	clock    clock.Clock
	services map[string]*wire.ServiceModel // by the first part of their host names
	api      http.Handler                  // set when the front door is built

	mu       sync.Mutex
	sessions map[string]*iam.Session // by role
}

var _ gateway.Services = (*awsServices)(nil)

const (
	// backplaneSession is how API Gateway names its sessions (seen in the ARNs
	// of its refusals).
	backplaneSession = "BackplaneAssumeRoleSession"
	// renewBefore is how long before its end a session is replaced.
	renewBefore = 5 * time.Minute
)

func newAWSServices(s *services, c clock.Clock) *awsServices {
	a := &awsServices{iam: s.iam, clock: c, services: map[string]*wire.ServiceModel{}, sessions: map[string]*iam.Session{}}
	for _, reg := range s.registrations() {
		if a.services[reg.Model.Endpoint] == nil { // API Gateway's second API shares the first one's host
			a.services[reg.Model.Endpoint] = reg.Model
		}
	}
	return a
}

// Serves implements gateway.Services.
func (a *awsServices) Serves(service string) bool { return a.services[service] != nil }

// CallService implements gateway.Services.
func (a *awsServices) CallService(ctx context.Context, call *gateway.ServiceCall) (*gateway.ServiceResult, error) {
	model := a.services[call.Service]
	keys, err := a.credentials(ctx, call)
	if err != nil {
		return nil, err
	}
	r, err := serviceRequest(ctx, model, call)
	if err != nil {
		return nil, err
	}
	if err := sigv4.Sign(ctx, r, call.Body, keys, model.SigningName, call.Region, a.clock.Now()); err != nil {
		return nil, err
	}
	answer := &answerBuffer{status: http.StatusOK, header: http.Header{}}
	a.api.ServeHTTP(answer, r)
	return &gateway.ServiceResult{Status: answer.status, Header: answer.header, Body: answer.body.Bytes()}, nil
}

// credentials are what a call is signed with: the client's own if it forwards
// their identity. A key that butai didn't issue has no secret, and needs none:
// who has come this far with it is trusted there too.
func (a *awsServices) credentials(ctx context.Context, call *gateway.ServiceCall) (sigv4.Credentials, error) {
	if call.Caller != nil {
		keys := sigv4.Credentials{AccessKeyID: call.Caller.AccessKeyID}
		if who := a.iam.Lookup(keys.AccessKeyID); who != nil {
			keys.SecretAccessKey, keys.SessionToken = who.Secret, who.Token
		}
		return keys, nil
	}
	session, err := a.session(ctx, call.RoleARN)
	if err != nil {
		return sigv4.Credentials{}, err
	}
	return sigv4.Credentials{AccessKeyID: session.AccessKeyID, SecretAccessKey: session.SecretAccessKey, SessionToken: session.SessionToken}, nil
}

// session returns credentials for a role that API Gateway may assume.
func (a *awsServices) session(ctx context.Context, roleARN string) (*iam.Session, error) {
	if !a.iam.Assumable(roleARN, gatewayPrincipal) {
		return nil, gateway.ErrRole
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.sessions[roleARN]; s != nil && a.clock.Now().Before(s.Expiration.Add(-renewBefore)) {
		return s, nil
	}
	s, err := a.iam.AssumeRole(context.WithoutCancel(ctx),
		&iam.Assumption{RoleARN: roleARN, Name: backplaneSession, Duration: roleSession, Service: gatewayPrincipal})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", gateway.ErrRole, err)
	}
	a.sessions[roleARN] = s
	return s, nil
}

// queried are the services of several protocols that API Gateway calls by
// parameters, as it did before they spoke JSON (recorded of SQS).
var queried = map[string]bool{"sqs": true, "cloudwatch": true}

// serviceRequest is the HTTP request of a call, not signed yet.
func serviceRequest(ctx context.Context, model *wire.ServiceModel, call *gateway.ServiceCall) (*http.Request, error) {
	verb, path, query := call.Verb, call.Path, call.Query
	if op := model.Operation(call.Action); op != nil && strings.HasPrefix(model.Protocol, "rest-") {
		verb = op.Method
		path, query = actionAddress(op, query)
	}
	r, err := http.NewRequestWithContext(ctx, verb, "https://"+call.Host+path+"?"+query, bytes.NewReader(call.Body))
	if err != nil {
		return nil, err
	}
	r.RequestURI = r.URL.RequestURI()
	for name, values := range call.Header {
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
	r.Header.Del("Authorization")
	if call.Action != "" && model.TargetPrefix != "" && !queried[model.Name] {
		r.Header.Set("X-Amz-Target", model.TargetPrefix+"."+call.Action)
	}
	return r, nil
}

// actionAddress turns the action form of a service with addresses of its own
// into one: parameters that the operation's path names go there.
func actionAddress(op *wire.Operation, query string) (path, rest string) {
	params, _ := url.ParseQuery(query) // encoded by the gateway
	params.Del("Action")
	path = op.Path
	for name, values := range params {
		for _, label := range [...]string{"{" + name + "}", "{" + name + "+}"} {
			if strings.Contains(path, label) {
				value := url.PathEscape(values[0])
				if strings.HasSuffix(label, "+}") {
					value = strings.ReplaceAll(value, "%2F", "/")
				}
				path = strings.ReplaceAll(path, label, value)
				params.Del(name)
			}
		}
	}
	for _, literal := range op.Query {
		params.Set(literal.Key, literal.Value)
	}
	return path, params.Encode()
}

// answerBuffer keeps what a handler answers.
type answerBuffer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

var _ http.ResponseWriter = (*answerBuffer)(nil)

// Header implements http.ResponseWriter.
func (a *answerBuffer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answerBuffer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answerBuffer) Write(b []byte) (int, error) { return a.body.Write(b) }

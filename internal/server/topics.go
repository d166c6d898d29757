package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/sns"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/awsquery"
	"github.com/butai-dev/butai/internal/xray"
)

const (
	snsPrincipal = "sns.amazonaws.com"
	// endpointTimeout is how long an HTTP endpoint may take to answer a message
	// (Developer Guide: "Step 2: Subscribe the HTTP/HTTPS endpoint").
	endpointTimeout = 15 * time.Second
	// signingKey is what messages of topics are signed with.
	signingKey = "RSA_2048"
)

// messageCertificate issues what the messages of topics are signed with.
func (s *Server) messageCertificate() (certificate, key []byte, err error) {
	leaf, err := Authority(s.cfg.DataDir, s.cfg.Clock).Issue([]string{"sns.amazonaws.com"}, signingKey)
	if err != nil {
		return nil, nil, err
	}
	return leaf.CertificatePEM, leaf.KeyPEM, nil
}

// byService is a call that a service of AWS makes, for a resource of an account:
// for itself, which the policy of what it calls must allow, or with a role.
type byService struct {
	services                            *services
	principal, sourceARN, sourceAccount string
	role                                string // ARN, or ""
	trace                               string // tracing header of who caused it, or ""
}

// denied asks whether the call may be made. ctx is the call's own.
func (b *byService) denied(ctx context.Context, target wire.IAMTarget) error {
	if denial := b.services.iam.Authorize(ctx, wire.CallerFrom(ctx), target); denial != "" {
		return &wire.Error{Code: "AccessDenied", Status: http.StatusForbidden, Message: denial}
	}
	return nil
}

// in is a context of the call in a region of an account.
func (b *byService) in(ctx context.Context, account, region string) context.Context {
	return wire.WithCaller(ctx, &wire.Caller{
		Account: account, Region: region, Partition: "aws", ARN: b.principal, UserID: b.principal, RequestID: ident.UUID(),
		Service: b.principal, Role: b.role, SourceARN: b.sourceARN, SourceAccount: b.sourceAccount, Trace: b.trace,
	})
}

// invoke leaves an event with a function.
func (b *byService) invoke(ctx context.Context, functionARN string, event []byte) error {
	_, err := b.services.lambda.Call(ctx, &catalog.Call{
		FunctionARN: functionARN, Principal: b.principal, SourceARN: b.sourceARN, SourceAccount: b.sourceAccount, Payload: event, KnownJSON: true,
		TraceID: xray.Join(b.trace, b.services.lambda.Clock.Now(), functionARN),
	}, true)
	if refusal, ok := errors.AsType[*catalog.Refusal](err); ok && refusal.Status != http.StatusTooManyRequests {
		return &wire.Error{Code: refusal.Code, Status: refusal.Status, Message: refusal.Message}
	}
	return err
}

// send puts a message into a queue.
func (b *byService) send(ctx context.Context, queue arn.ARN, in *sqsapi.SendMessageRequest) error {
	in.QueueUrl = queueURL(queue)
	ctx = b.in(ctx, queue.Account, queue.Region)
	if err := b.denied(ctx, b.services.sqs.IAMTargets(ctx, sqsapi.Service.Operation("SendMessage"), in)[0]); err != nil {
		return err
	}
	_, err := b.services.sqs.SendMessage(ctx, in)
	return err
}

// topicTargets are the endpoints of topics.
type topicTargets struct{ services *services }

var _ sns.Targets = (*topicTargets)(nil)

// Deliver implements sns.Targets.
func (t *topicTargets) Deliver(ctx context.Context, d *sns.Delivery) error {
	if d.Header != nil {
		return post(ctx, d)
	}
	call := &byService{services: t.services, principal: snsPrincipal, sourceARN: d.TopicARN, sourceAccount: d.Account, trace: d.Trace}
	a, err := arn.Parse(d.Endpoint)
	if err != nil {
		return wire.Errorf("InvalidParameter", "%s is no endpoint", d.Endpoint)
	}
	if a.Service == "lambda" {
		return call.invoke(ctx, d.Endpoint, d.Body)
	}
	in := &sqsapi.SendMessageRequest{MessageBody: wire.Ptr(string(d.Body)), MessageAttributes: map[string]sqsapi.MessageAttributeValue{}}
	for name, v := range d.Attributes {
		in.MessageAttributes[name] = sqsapi.MessageAttributeValue{DataType: v.DataType, StringValue: v.StringValue, BinaryValue: v.BinaryValue}
	}
	return call.send(ctx, a, in)
}

// post sends a message to an HTTP endpoint. Answers below 500 are for good, but
// for 429 (Developer Guide: "Amazon SNS message delivery retries").
func post(ctx context.Context, d *sns.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, endpointTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Endpoint, bytes.NewReader(d.Body))
	if err != nil {
		return wire.Errorf("InvalidParameter", "%s is no endpoint", d.Endpoint)
	}
	for name, value := range d.Header {
		r.Header[name] = []string{value} // AWS's spelling
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // so that the connection can be used again
	switch {
	case res.StatusCode < 300:
		return nil
	case res.StatusCode < 500 && res.StatusCode != http.StatusTooManyRequests:
		return &wire.Error{Code: "EndpointFailure", Status: http.StatusBadRequest, Message: "The endpoint answered " + res.Status}
	}
	return fmt.Errorf("the endpoint answered %s", res.Status)
}

// topicLinks serves what messages of topics link to, without a signature: the
// pages that confirm and end subscriptions, and the certificate that messages
// are signed with. Everything else is next's.
func topicLinks(s *sns.Service, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet || r.Header.Get("Authorization") != "":
		case strings.HasPrefix(r.URL.Path, sns.CertificatePath):
			serveCertificate(s, w, r)
			return
		case r.URL.Path == "/" && strings.HasPrefix(r.URL.RawQuery, "Action="):
			if action := r.URL.Query().Get("Action"); action == "ConfirmSubscription" || action == "Unsubscribe" {
				serveLink(s, w, r, action)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func serveCertificate(s *sns.Service, w http.ResponseWriter, r *http.Request) {
	text, err := s.SigningCertificate(r.Context(), r.URL.Path)
	if err != nil || text == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, _ = w.Write(text) // a client that has gone away needs no answer
}

// serveLink runs one of the two operations for whoever has the link.
func serveLink(s *sns.Service, w http.ResponseWriter, r *http.Request, action string) {
	requestID, q := ident.UUID(), r.URL.Query()
	ctx := wire.WithCaller(r.Context(), &wire.Caller{RequestID: requestID})
	var out any
	var err error
	if action == "ConfirmSubscription" {
		out, err = s.ConfirmSubscription(ctx, &snsapi.ConfirmSubscriptionInput{TopicArn: wire.Ptr(q.Get("TopicArn")), Token: wire.Ptr(q.Get("Token"))})
	} else {
		err = s.Unsubscribe(ctx, &snsapi.UnsubscribeInput{SubscriptionArn: wire.Ptr(q.Get("SubscriptionArn"))})
	}
	var res *wire.Response
	if err == nil {
		res, err = awsquery.Protocol{}.Encode(&snsapi.Service, snsapi.Service.Operation(action), out, requestID)
	}
	if err != nil {
		if _, told := errors.AsType[wire.ModelledError](err); !told {
			err = &wire.Error{Code: "InternalFailure", Status: http.StatusInternalServerError, Fault: true, Message: "The request has failed."}
		}
		res = awsquery.Protocol{}.EncodeError(&snsapi.Service, err, requestID)
	}
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.Status)
	_, _ = w.Write(res.Body) // a client that has gone away needs no answer
}

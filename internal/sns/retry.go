package sns

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/wire"
)

// retryPolicy says how often and how late a delivery is repeated (Developer
// Guide: "Amazon SNS message delivery retries"). Delays are in seconds.
type retryPolicy struct {
	MinDelay        int    `json:"minDelayTarget"`
	MaxDelay        int    `json:"maxDelayTarget"`
	Retries         int    `json:"numRetries"`
	MaxDelayRetries int    `json:"numMaxDelayRetries"`
	NoDelayRetries  int    `json:"numNoDelayRetries"`
	MinDelayRetries int    `json:"numMinDelayRetries"`
	Backoff         string `json:"backoffFunction"`
}

var (
	// endpointRetries are those of HTTP endpoints, if nobody says otherwise.
	endpointRetries = retryPolicy{MinDelay: 20, MaxDelay: 20, Retries: 3, Backoff: "linear"}
	// serviceRetries are those of functions and queues: 100,015 in 23 days.
	serviceRetries = retryPolicy{MinDelay: 1, MaxDelay: 20, Retries: 100_015, NoDelayRetries: 3, MinDelayRetries: 2, MaxDelayRetries: 100_000, Backoff: "exponential"}
)

const (
	maxRetries     = 100
	maxDelay       = 3600
	plainText      = "text/plain; charset=UTF-8"
	notBuiltLimits = "limits of deliveries per second of SNS (maxReceivesPerSecond)"
)

// delay is the wait before the nth repetition, from 0; there is none if ok is
// false. AWS's formulas for the backoff phase aren't published: ours have the
// shapes that are named, from the least to the greatest delay.
func (p *retryPolicy) delay(n int) (wait time.Duration, ok bool) {
	backoff := p.Retries - p.NoDelayRetries - p.MinDelayRetries - p.MaxDelayRetries
	low, high := float64(p.MinDelay), float64(p.MaxDelay)
	seconds := high
	switch {
	case n >= p.Retries:
		return 0, false
	case n < p.NoDelayRetries:
		return 0, true
	case n < p.NoDelayRetries+p.MinDelayRetries:
		seconds = low
	case n < p.NoDelayRetries+p.MinDelayRetries+backoff:
		share := float64(n-p.NoDelayRetries-p.MinDelayRetries+1) / float64(backoff)
		switch p.Backoff {
		case "exponential", "geometric":
			seconds = low * math.Pow(high/low, share)
		case "arithmetic":
			seconds = low + (high-low)*share*share
		default:
			seconds = low + (high-low)*share
		}
	}
	return time.Duration(seconds * float64(time.Second)), true
}

func (p *retryPolicy) check() error {
	switch {
	case p.MinDelay < 1 || p.MinDelay > p.MaxDelay:
		return errors.New("healthyRetryPolicy.minDelayTarget must be between 1 and maxDelayTarget")
	case p.MaxDelay > maxDelay:
		return errors.New("healthyRetryPolicy.maxDelayTarget must be at most 3600")
	case p.Retries < 0 || p.Retries > maxRetries:
		return errors.New("healthyRetryPolicy.numRetries must be between 0 and 100")
	case min(p.NoDelayRetries, p.MinDelayRetries, p.MaxDelayRetries) < 0, p.NoDelayRetries+p.MinDelayRetries+p.MaxDelayRetries > p.Retries:
		return errors.New("healthyRetryPolicy.numRetries must be at least the sum of its phases")
	}
	switch p.Backoff {
	case "linear", "arithmetic", "geometric", "exponential":
		return nil
	}
	return errors.New("healthyRetryPolicy.backoffFunction must be one of: linear, arithmetic, geometric, exponential")
}

type (
	// topicPolicy is a topic's delivery policy.
	topicPolicy struct {
		HTTP topicHTTP `json:"http"`
	}
	topicHTTP struct {
		Retry            retryPolicy     `json:"defaultHealthyRetryPolicy"`
		DisableOverrides bool            `json:"disableSubscriptionOverrides"`
		Throttle         *throttlePolicy `json:"defaultThrottlePolicy,omitzero"`
		Request          requestPolicy   `json:"defaultRequestPolicy"`
	}
	// endpointPolicy is a subscription's.
	endpointPolicy struct {
		Retry      retryPolicy     `json:"healthyRetryPolicy"`
		Sickly     jsontext.Value  `json:"sicklyRetryPolicy,omitzero"` // of old; AWS shows null
		Throttle   *throttlePolicy `json:"throttlePolicy,omitzero"`
		Request    *requestPolicy  `json:"requestPolicy,omitzero"`
		Guaranteed bool            `json:"guaranteed,omitzero"` // of old; false always
	}
	throttlePolicy struct {
		PerSecond *int `json:"maxReceivesPerSecond"`
	}
	requestPolicy struct {
		ContentType string `json:"headerContentType"`
	}
)

func defaultTopicPolicy() *topicPolicy {
	return &topicPolicy{topicHTTP{Retry: endpointRetries, Request: requestPolicy{plainText}}}
}

// parseTopicPolicy reads a topic's delivery policy over the default one.
func parseTopicPolicy(text string) (*topicPolicy, error) {
	p := defaultTopicPolicy()
	if err := json.Unmarshal([]byte(text), p, json.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	if p.HTTP.Throttle != nil && p.HTTP.Throttle.PerSecond != nil {
		return nil, wire.NotBuilt(notBuiltLimits)
	}
	return p, p.HTTP.Retry.check()
}

// parsedOrDefault is a topic's delivery policy as it was checked when it was
// set, or the default one.
func parsedOrDefault(text string) *topicPolicy {
	if p, err := parseTopicPolicy(text); err == nil && text != "" {
		return p
	}
	return defaultTopicPolicy()
}

// parseEndpointPolicy reads a subscription's delivery policy over its topic's.
func parseEndpointPolicy(text string, topic *topicPolicy) (*endpointPolicy, error) {
	p := &endpointPolicy{Retry: topic.HTTP.Retry, Request: &requestPolicy{topic.HTTP.Request.ContentType}}
	if text == "" || topic.HTTP.DisableOverrides {
		return p, nil
	}
	if err := json.Unmarshal([]byte(text), p, json.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	if p.Throttle != nil && p.Throttle.PerSecond != nil {
		return nil, wire.NotBuilt(notBuiltLimits)
	}
	if p.Request == nil {
		p.Request = &requestPolicy{plainText}
	}
	return p, p.Retry.check()
}

func deliveryPolicyError(where string, err error) error {
	if notBuilt, ok := errors.AsType[*wire.Error](err); ok {
		return notBuilt
	}
	return invalid("%sDeliveryPolicy: %s", where, strings.TrimPrefix(err.Error(), "json: "))
}

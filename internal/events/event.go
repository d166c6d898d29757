package events

import (
	"context"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/pattern"
)

// event is an event as it is stored with its deliveries.
type event struct {
	ID         string
	DetailType string
	Source     string
	Account    string
	Region     string
	Time       time.Time
	Resources  []string
	Detail     []byte // a JSON object, compact
	Ingested   time.Time
	Trace      string `json:",omitzero"` // X-Ray header
	// From is the account from which the event has come to a bus of another, ""
	// if it hasn't: then it goes no further (User Guide: "Sending and receiving
	// events between AWS accounts").
	From string `json:",omitzero"`
}

// eventText is an event as targets see it; the order of its members is AWS's.
type eventText struct {
	Version    string         `json:"version"`
	ID         string         `json:"id"`
	DetailType string         `json:"detail-type"`
	Source     string         `json:"source"`
	Account    string         `json:"account"`
	Time       string         `json:"time"`
	Region     string         `json:"region"`
	Resources  []string       `json:"resources"`
	Detail     jsontext.Value `json:"detail"`
}

const eventTime = "2006-01-02T15:04:05Z"

// text is the event as JSON.
func (e *event) text() ([]byte, error) {
	return json.Marshal(&eventText{
		"0", e.ID, e.DetailType, e.Source, e.Account, e.Time.UTC().Format(eventTime), e.Region, e.Resources, e.Detail,
	}, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// required are the members that an event must have to be tested.
var required = []string{"id", "detail-type", "source", "account", "time", "region", "resources"}

// TestEventPattern tells whether a pattern matches an event.
func (*Service) TestEventPattern(_ context.Context, in *eventsapi.TestEventPatternRequest) (*eventsapi.TestEventPatternResponse, error) {
	p, err := compile(*in.EventPattern)
	if err != nil {
		return nil, err
	}
	decoded, err := pattern.Decode([]byte(*in.Event))
	object, ok := decoded.(map[string]any)
	if err != nil || !ok {
		return nil, invalid("Parameter Event is not valid.")
	}
	for _, name := range required {
		if _, ok := object[name]; !ok {
			return nil, invalid("Parameter Event is not valid.")
		}
	}
	matches := p.Matches(object)
	return &eventsapi.TestEventPatternResponse{Result: &matches}, nil
}

// isAWS reports whether a source is one of AWS's own services.
func isAWS(source string) bool { return strings.HasPrefix(source, "aws.") }

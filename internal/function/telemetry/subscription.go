package telemetry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// API is one of the two that extensions subscribe with.
type API struct {
	name       string // as messages call it
	prefix     string // of its own error types
	validation string // the type of what is wrong with a request
	schemas    []string
	fallback   string // the schema of those who name none; "" if they must
	kind       string // of the event about a subscription
	title      string // of the line about a subscription
}

// The APIs. Their error types are those of their references in the Lambda
// Developer Guide, and of AWS's emulator of the Runtime API.
var (
	Telemetry = API{
		name: "Telemetry API", prefix: "Telemetry", validation: "ValidationError",
		schemas: []string{"2022-07-01", "2022-12-13", "2025-01-29"}, kind: typeSubscription, title: "TELEMETRY",
	}
	Logs = API{
		name: "Logs API", prefix: "Logs", validation: "Logs.ValidationError",
		schemas: []string{"2020-08-15", "2021-03-18"}, fallback: "2020-08-15", kind: typeLogsSubscription, title: "LOGS",
	}
)

// Bounds of the buffering settings, and what holds without them.
const (
	minItems, maxItems, defaultItems       = 1000, 10000, 10000
	minBytes, maxBytes, defaultBytes       = 256 << 10, 1 << 20, 256 << 10
	minTimeout, maxTimeout, defaultTimeout = 25, 30000, 1000 // milliseconds
	// reservedPort is the Runtime API's on AWS, where nobody else can listen.
	reservedPort = 9001
)

// Refusal says why a subscription isn't accepted.
type Refusal struct {
	Status        int // HTTP
	Type, Message string
}

func (r *Refusal) Error() string { return r.Type + ": " + r.Message }

// Subscription is what the log says of an accepted subscription.
type Subscription struct {
	Kind   string // of the event
	Text   string // of the line
	Record SubscriptionRecord
}

// SubscriptionRecord is the record of the event about a subscription.
type SubscriptionRecord struct {
	Name  string   `json:"name"`
	State string   `json:"state"`
	Types []string `json:"types"`
}

type request struct {
	Schema      *string   `json:"schemaVersion"`
	Types       *[]string `json:"types"`
	Destination *struct {
		Protocol string `json:"protocol"`
		URI      string `json:"URI"`
		Port     int    `json:"port"`
		Method   string `json:"method"`
		Encoding string `json:"encoding"`
	} `json:"destination"`
	Buffering struct {
		Items   *int `json:"maxItems"`
		Bytes   *int `json:"maxBytes"`
		Timeout *int `json:"timeoutMs"`
	} `json:"buffering"`
}

// Subscribe makes an extension a subscriber, from the first event of the
// sandbox on. The error is a *Refusal.
func (h *Hub) Subscribe(extension string, api API, body []byte) error {
	s, problems := parse(api, body)
	if len(problems) > 0 {
		return &Refusal{http.StatusBadRequest, api.validation, strings.Join(problems, "; ")}
	}
	s.hub, s.extension, s.api = h, extension, api.name
	if refusal := h.add(s, api); refusal != nil {
		return refusal
	}
	titles := make([]string, len(s.types))
	for n, stream := range s.types {
		titles[n] = strings.ToUpper(stream[:1]) + stream[1:]
	}
	h.say(&Subscription{
		Kind:   api.kind,
		Text:   fmt.Sprintf("%s\tName: %s\tState: Subscribed\tTypes: [%s]\n", api.title, extension, strings.Join(titles, ", ")),
		Record: SubscriptionRecord{extension, "Subscribed", s.types},
	})
	return nil
}

func (h *Hub) add(s *subscriber, api API) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return &Refusal{http.StatusForbidden, api.prefix + ".SubscriptionClosed", api.name + " subscription is closed"}
	}
	for _, other := range h.list {
		if other.extension == s.extension && other.api != api.name {
			// The guide says that this is an error, and not which.
			return &Refusal{http.StatusBadRequest, api.validation, "the extension has subscribed with the " + other.api + " already"}
		}
	}
	// The same destination again takes the place of the subscription before.
	at := slices.IndexFunc(h.list, func(other *subscriber) bool { return other.extension == s.extension && other.target == s.target })
	if at >= 0 {
		h.list[at].types, h.list[at].schema = s.types, s.schema
	} else {
		h.list = append(h.list, s)
		for _, e := range h.early {
			s.put(e)
		}
		h.work.Go(s.run)
	}
	return nil
}

// parse reads a subscription and lists what is wrong with it.
func parse(api API, body []byte) (*subscriber, []string) {
	var r request
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, []string{"failed to parse JSON: " + err.Error()}
	}
	s := &subscriber{schema: api.fallback, wake: make(chan struct{}, 1)}
	var problems []string
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	switch {
	case r.Schema != nil && slices.Contains(api.schemas, *r.Schema):
		s.schema = *r.Schema
	case r.Schema != nil || s.schema == "":
		complain("schemaVersion should be one of [%s]", strings.Join(api.schemas, ", "))
	}
	if problem := s.aim(api, &r); problem != "" {
		complain("%s", problem)
	}
	if r.Types == nil || len(*r.Types) == 0 {
		complain("types should not be empty")
	} else {
		for _, stream := range *r.Types {
			if !slices.Contains([]string{Platform, Function, Extension}, stream) {
				complain("types should be among [platform, function, extension], not %q", stream)
			} else if !slices.Contains(s.types, stream) {
				s.types = append(s.types, stream)
			}
		}
	}
	bounded := func(name string, value *int, least, most, fallback int) int {
		if value == nil {
			return fallback
		}
		if *value < least || *value > most {
			complain("buffering.%s should be between %d and %d", name, least, most)
		}
		return *value
	}
	s.items = bounded("maxItems", r.Buffering.Items, minItems, maxItems, defaultItems)
	s.bytes = bounded("maxBytes", r.Buffering.Bytes, minBytes, maxBytes, defaultBytes)
	s.patience = time.Duration(bounded("timeoutMs", r.Buffering.Timeout, minTimeout, maxTimeout, defaultTimeout)) * time.Millisecond
	return s, problems
}

// aim reads the destination; it returns what is wrong with it, or "".
func (s *subscriber) aim(api API, r *request) string {
	d := r.Destination
	if d == nil {
		return "destination is not provided"
	}
	switch d.Protocol {
	case "TCP":
		s.target = target{tcp: true, port: d.Port}
		if d.Port < 1 || d.Port > 65535 {
			return "port is not provided"
		}
	case "HTTP":
		u, err := url.Parse(d.URI)
		switch {
		case d.URI == "":
			return "URI is not provided"
		case err != nil || u.Scheme != "http":
			return "URI should be of the form http://sandbox.localdomain:port/path"
		case u.Hostname() != "sandbox.localdomain" && u.Hostname() != "sandbox":
			return "URI host must be sandbox.localdomain"
		case u.Port() == "":
			return "URI port is not provided"
		}
		port, err := strconv.Atoi(u.Port())
		if err != nil || port < 1 || port > 65535 {
			return "URI port is not valid"
		}
		s.target = target{port: port, uri: u.String(), method: http.MethodPost}
		switch {
		case api.name != Logs.name || d.Method == "" || d.Method == http.MethodPost:
		case d.Method == http.MethodPut:
			s.target.method = http.MethodPut
		default:
			return "method should be POST or PUT"
		}
		if d.Encoding != "" && d.Encoding != "JSON" {
			return "encoding should be JSON"
		}
	default:
		return "protocol should be HTTP or TCP"
	}
	if s.target.port == reservedPort {
		return "port 9001 is reserved"
	}
	return ""
}

package sns

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	maxMessage      = 262144 // bytes, attributes included (API Reference: Publish)
	maxSubject      = 100
	maxBatch        = 10
	typeStringArray = "String.Array"
)

// message is what was published.
type message struct {
	ID         string
	Text       string
	ByProtocol map[string]string `json:",omitzero"` // texts for some protocols, if its structure says so
	Subject    string            `json:",omitzero"`
	Attributes map[string]snsapi.MessageAttributeValue
	At         time.Time
	Trace      string `json:",omitzero"` // tracing header of who published it
}

// body is the text for endpoints of a protocol.
func (m *message) body(protocol string) string {
	if text, ok := m.ByProtocol[protocol]; ok {
		return text
	}
	return m.Text
}

// Publish sends a message to a topic's subscriptions. The deliveries are
// durable when it returns.
func (s *Service) Publish(ctx context.Context, in *snsapi.PublishInput) (*snsapi.PublishResponse, error) {
	p, err := destination(in)
	if err != nil {
		return nil, err
	}
	m, err := s.newMessage(&snsapi.PublishBatchRequestEntry{
		Message: in.Message, Subject: in.Subject, MessageStructure: in.MessageStructure, MessageAttributes: in.MessageAttributes,
		MessageDeduplicationId: in.MessageDeduplicationId, MessageGroupId: in.MessageGroupId,
	})
	if err != nil {
		return nil, err
	}
	if err := s.publish(ctx, p, m); err != nil {
		return nil, err
	}
	return &snsapi.PublishResponse{MessageId: &m.ID}, nil
}

// destination is the topic that a message is for.
func destination(in *snsapi.PublishInput) (place, error) {
	switch {
	case in.PhoneNumber != nil:
		return place{}, wire.NotBuilt("text messages (SMS) of SNS")
	case in.TopicArn != nil:
		return parseTopic("TopicArn", in.TopicArn)
	case in.TargetArn == nil:
		return place{}, invalid("TopicArn or TargetArn Reason: no value for required parameter")
	case strings.Contains(*in.TargetArn, ":endpoint/"):
		return place{}, invalid("TargetArn Reason: No endpoint found for the target arn specified") // nothing makes any
	}
	return parseTopic("TargetArn", in.TargetArn)
}

// PublishBatch sends up to ten messages.
func (s *Service) PublishBatch(ctx context.Context, in *snsapi.PublishBatchInput) (*snsapi.PublishBatchResponse, error) {
	p, err := parseTopic("TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	entries := in.PublishBatchRequestEntries
	switch {
	case len(entries) == 0:
		return nil, &snsapi.EmptyBatchRequestException{Message: wire.Ptr("The batch request doesn't contain any entries.")}
	case len(entries) > maxBatch:
		return nil, &snsapi.TooManyEntriesInBatchRequestException{Message: wire.Ptr("The batch request contains more entries than permissible.")}
	}
	out := &snsapi.PublishBatchResponse{Successful: []snsapi.PublishBatchResultEntry{}, Failed: []snsapi.BatchResultErrorEntry{}}
	seen, total := map[string]bool{}, 0
	var messages []*message
	for i := range entries {
		e := &entries[i]
		switch {
		case !batchIDForm.MatchString(*e.Id):
			return nil, &snsapi.InvalidBatchEntryIdException{Message: wire.Ptr("The Id of a batch entry in a batch request doesn't abide by the specification.")}
		case seen[*e.Id]:
			return nil, &snsapi.BatchEntryIdsNotDistinctException{Message: wire.Ptr("Two or more batch entries in the request have the same Id.")}
		}
		seen[*e.Id] = true
		m, err := s.newMessage(e)
		if err != nil {
			return nil, err // as recorded: AWS refuses the whole batch
		}
		total += m.size()
		messages = append(messages, m)
		out.Successful = append(out.Successful, snsapi.PublishBatchResultEntry{Id: e.Id, MessageId: &m.ID})
	}
	if total > maxMessage {
		return nil, &snsapi.BatchRequestTooLongException{Message: wire.Ptr("The length of all the messages put together is more than the limit.")}
	}
	return out, s.publish(ctx, p, messages...)
}

var batchIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// newMessage checks what is to be published.
func (s *Service) newMessage(in *snsapi.PublishBatchRequestEntry) (*message, error) {
	m := &message{ID: ident.UUID(), Text: *in.Message, Subject: wire.Val(in.Subject), Attributes: in.MessageAttributes, At: s.Clock.Now().UTC()}
	switch {
	case m.Text == "":
		return nil, invalid("Empty message")
	case in.Subject != nil && !soundSubject(m.Subject):
		return nil, invalid("Subject")
	case in.MessageDeduplicationId != nil:
		return nil, invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	case in.MessageGroupId != nil:
		return nil, wire.NotBuilt("message groups of standard topics of SNS") // they are for fair queues
	case m.size() > maxMessage:
		return nil, invalid("Message too long")
	}
	if err := checkAttributes(in.MessageAttributes); err != nil {
		return nil, err
	}
	switch wire.Val(in.MessageStructure) {
	case "":
	case "json":
		if err := m.split(); err != nil {
			return nil, err
		}
	default:
		return nil, invalid("MessageStructure")
	}
	return m, nil
}

func (m *message) size() int {
	n := len(m.Text)
	for name, a := range m.Attributes {
		n += len(name) + len(wire.Val(a.DataType)) + len(wire.Val(a.StringValue)) + len(a.BinaryValue)
	}
	return n
}

func soundSubject(subject string) bool {
	return subject != "" && len(subject) <= maxSubject && !strings.HasPrefix(subject, " ") && !strings.ContainsFunc(subject, unicode.IsControl)
}

// split takes the texts for the protocols out of a message of JSON.
func (m *message) split() error {
	var raw map[string]jsontext.Value
	if err := json.Unmarshal([]byte(m.Text), &raw, jsontext.AllowDuplicateNames(true)); err != nil {
		return invalid("Message Structure - JSON message body failed to parse")
	}
	m.ByProtocol = map[string]string{}
	for name, value := range raw {
		var text string
		if value.Kind() == '"' && json.Unmarshal(value, &text) == nil {
			m.ByProtocol[name] = text
		}
	}
	text, ok := m.ByProtocol["default"]
	if !ok {
		return invalid("Message Structure - No default entry in JSON message body")
	}
	m.Text = text
	return nil
}

var attributeNameForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`)

// checkAttributes checks attributes in the order of their names. The model
// lacks the code of a value that won't do.
func checkAttributes(attributes map[string]snsapi.MessageAttributeValue) error {
	const code = "ParameterValueInvalid"
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		dataType := wire.Val(a.DataType)
		kind, _, _ := strings.Cut(dataType, ".")
		_, notANumber := strconv.ParseFloat(wire.Val(a.StringValue), 64)
		switch {
		case !attributeNameForm.MatchString(name) || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, ".."):
			return wire.Errorf(code, "Invalid message attribute name '%s'.", name)
		case kind != "String" && kind != "Number" && kind != "Binary":
			return wire.Errorf(code, "The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		case kind == "Binary" && len(a.BinaryValue) == 0, kind != "Binary" && wire.Val(a.StringValue) == "":
			return wire.Errorf(code, "The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, dataType)
		case kind == "Number" && notANumber != nil:
			return wire.Errorf(code, "Could not cast message attribute '%s' value to number.", name)
		case dataType == typeStringArray && jsontext.Value(*a.StringValue).Kind() != '[':
			return wire.Errorf(code, "Invalid value for message attribute '%s' of type 'String.Array'.", name)
		}
	}
	return nil
}

// publish stores the deliveries of messages, and schedules them.
func (s *Service) publish(ctx context.Context, p place, messages ...*message) error {
	if err := s.encrypt(ctx, p); err != nil {
		return err
	}
	var made []*deliveryRecord
	trace := wire.CallerFrom(ctx).Trace
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		made = nil
		if _, err := getTopic(tx, p); err != nil {
			return err
		}
		for sub, err := range subscriptions.All(tx, p.key()...) {
			if err != nil {
				return err
			}
			for _, m := range messages {
				if sub.wants(m) {
					made = append(made, &deliveryRecord{ID: ident.UUID(), Topic: p, Subscription: sub.ID, Message: *m, Due: m.At})
					made[len(made)-1].Message.Trace = trace
				}
			}
		}
		for _, d := range made {
			if err := deliveries.Put(tx, d, d.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range made {
		s.queue.Add(d.ticket())
	}
	return nil
}

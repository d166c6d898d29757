package sqs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// SendMessage puts a message into a queue; it is durable when it is answered.
func (s *Service) SendMessage(ctx context.Context, in *sqsapi.SendMessageRequest) (*sqsapi.SendMessageResult, error) {
	q, err := s.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	m, err := s.newMessage(ctx, q, in)
	if err != nil {
		return nil, err
	}
	if err := s.encrypt(ctx, q, m); err != nil {
		return nil, err
	}
	if err := s.put(ctx, q, []*message{m}); err != nil {
		return nil, err
	}
	return sent(q, m, in.MessageSystemAttributes), nil
}

func sent(q *queueRecord, m *message, system map[string]sqsapi.MessageSystemAttributeValue) *sqsapi.SendMessageResult {
	out := &sqsapi.SendMessageResult{MessageId: &m.ID, MD5OfMessageBody: wire.Ptr(digest([]byte(m.Body)))}
	if len(m.Attributes) > 0 {
		out.MD5OfMessageAttributes = wire.Ptr(attributeDigest(m.Attributes))
	}
	if len(system) > 0 {
		plain := map[string]sqsapi.MessageAttributeValue{}
		for name, v := range system {
			plain[name] = sqsapi.MessageAttributeValue{StringValue: v.StringValue, BinaryValue: v.BinaryValue, DataType: v.DataType}
		}
		out.MD5OfMessageSystemAttributes = wire.Ptr(attributeDigest(plain))
	}
	if q.fifo() {
		out.SequenceNumber = wire.Ptr(m.number())
	}
	return out
}

// put stores messages. A FIFO message that was sent before takes the id and
// place of the first one and isn't stored again.
func (s *Service) put(ctx context.Context, q *queueRecord, batch []*message) error {
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := get(tx, place{q.Account, q.Region, q.Name}); err != nil {
			return err // deleted meanwhile
		}
		for _, m := range batch {
			if q.fifo() {
				known, err := deduplicate(tx, q, m)
				if err != nil {
					return err
				}
				if known {
					continue
				}
			}
			if err := putMessage(tx, q, m, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
	s.waiters.wake(q.ID)
	return err
}

// textForm are the characters that a body may have (API Reference: SendMessage).
var textForm = regexp.MustCompile(`^[\x09\x0A\x0D\x20-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]*$`)

// newMessage checks a request and makes the message that it asks for.
func (s *Service) newMessage(ctx context.Context, q *queueRecord, in *sqsapi.SendMessageRequest) (*message, error) {
	if *in.MessageBody == "" {
		return nil, missingParameter("MessageBody")
	}
	if !utf8.ValidString(*in.MessageBody) || !textForm.MatchString(*in.MessageBody) {
		return nil, &sqsapi.InvalidMessageContents{Message: wire.Ptr("Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")}
	}
	if err := checkAttributes(in.MessageAttributes); err != nil {
		return nil, err
	}
	if limit := q.number(sqsapi.QueueAttributeNameMaximumMessageSize); int64(size(in)) > limit {
		return nil, invalidParameter("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
	}
	delay := q.seconds(sqsapi.QueueAttributeNameDelaySeconds)
	if in.DelaySeconds != nil {
		if *in.DelaySeconds < 0 || *in.DelaySeconds > 900 {
			return nil, invalidParameter("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", *in.DelaySeconds)
		}
		if q.fifo() && *in.DelaySeconds != 0 {
			return nil, invalidParameter("Value %d for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.", *in.DelaySeconds)
		}
		delay = time.Duration(*in.DelaySeconds) * time.Second
	}
	now, c := s.Clock.Now(), wire.CallerFrom(ctx)
	m := &message{
		ID: ident.UUID(), Sequence: s.sequence.next(now), Body: *in.MessageBody, Attributes: in.MessageAttributes,
		Sender: c.UserID, Trace: c.Trace, Group: wire.Val(in.MessageGroupId), Sent: now, Due: now.Add(delay),
	}
	for name, value := range in.MessageSystemAttributes {
		if name != sqsapi.MessageSystemAttributeNameForSendsAWSTraceHeader || wire.Val(value.DataType) != "String" || value.BinaryValue != nil {
			return nil, invalidParameter("Message system attribute name is invalid.")
		}
		m.Trace = wire.Val(value.StringValue)
	}
	return m, q.identify(m, in)
}

// identify gives a FIFO message what FIFO queues need.
func (q *queueRecord) identify(m *message, in *sqsapi.SendMessageRequest) error {
	if !q.fifo() {
		if in.MessageDeduplicationId != nil {
			return invalidParameter("Value %s for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this queue type", *in.MessageDeduplicationId)
		}
		return nil
	}
	if m.Group == "" {
		return missingParameter("MessageGroupId")
	}
	m.Dedup = wire.Val(in.MessageDeduplicationId)
	if m.Dedup == "" {
		if q.Attributes[sqsapi.QueueAttributeNameContentBasedDeduplication] != "true" {
			return invalidParameter("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
		}
		sum := sha256.Sum256([]byte(m.Body))
		m.Dedup = hex.EncodeToString(sum[:])
	}
	return nil
}

func size(in *sqsapi.SendMessageRequest) int {
	n := len(*in.MessageBody)
	for name, a := range in.MessageAttributes {
		n += len(name) + len(wire.Val(a.DataType)) + len(wire.Val(a.StringValue)) + len(a.BinaryValue)
	}
	return n
}

const maxAttributes = 10

func checkAttributes(attributes map[string]sqsapi.MessageAttributeValue) error {
	if len(attributes) > maxAttributes {
		return invalidParameter("Number of message attributes [%d] exceeds the allowed maximum [10].", len(attributes))
	}
	for name, a := range attributes {
		kind, _, _ := strings.Cut(wire.Val(a.DataType), ".")
		switch {
		case kind != "String" && kind != "Number" && kind != "Binary":
			return invalidParameter("The type of message (user) attribute '%s' is invalid. You must use only the following supported type prefixes: Binary, Number, String.", name)
		case kind == "Binary" && len(a.BinaryValue) == 0, kind != "Binary" && wire.Val(a.StringValue) == "":
			return invalidParameter("The message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, wire.Val(a.DataType))
		}
	}
	return nil
}

// dedup remembers a FIFO message for as long as it isn't taken again, by
// queue id and deduplication id.
type dedup struct {
	ID           string
	Sequence     int64
	Until        time.Time
	Scope, Dedup string
}

// forgets are the same in the order in which they end.
var (
	dedups  = record.New[dedup]("sqs", "dedup")
	forgets = record.New[dedup]("sqs", "forget")
)

// dedupInterval is AWS's.
const dedupInterval = 5 * time.Minute

func deduplicate(tx store.Tx, q *queueRecord, m *message) (known bool, err error) {
	scope := ""
	if q.Attributes[sqsapi.QueueAttributeNameDeduplicationScope] == "messageGroup" {
		scope = m.Group
	}
	have, err := dedups.Get(tx, q.ID, scope, m.Dedup)
	if err != nil {
		return false, err
	}
	if have != nil && m.Sent.Before(have.Until) {
		m.ID, m.Sequence = have.ID, have.Sequence
		return true, nil
	}
	d := &dedup{ID: m.ID, Sequence: m.Sequence, Until: m.Sent.Add(dedupInterval), Scope: scope, Dedup: m.Dedup}
	if err := forget(tx, q, m.Sent); err != nil {
		return false, err
	}
	if err := forgets.Put(tx, d, q.ID, ordered(m.Sequence)); err != nil {
		return false, err
	}
	return false, dedups.Put(tx, d, q.ID, scope, m.Dedup)
}

// forget clears away a few of the messages that may be sent again.
func forget(tx store.Tx, q *queueRecord, now time.Time) error {
	var old []*dedup
	for d, err := range forgets.All(tx, q.ID) {
		if err != nil {
			return err
		}
		if now.Before(d.Until) || len(old) == 10 {
			break
		}
		old = append(old, d)
	}
	for _, d := range old {
		if err := forgets.Delete(tx, q.ID, ordered(d.Sequence)); err != nil {
			return err
		}
		have, err := dedups.Get(tx, q.ID, d.Scope, d.Dedup)
		if err != nil {
			return err
		}
		if have != nil && have.Sequence == d.Sequence { // not sent anew since
			if err := dedups.Delete(tx, q.ID, d.Scope, d.Dedup); err != nil {
				return err
			}
		}
	}
	return nil
}

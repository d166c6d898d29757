package sqs

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// message is one message of a queue.
type message struct {
	ID         string
	Sequence   int64 // its place among the queue's messages
	Body       string
	Attributes map[string]sqsapi.MessageAttributeValue `json:",omitzero"`
	Trace      string                                  `json:",omitzero"` // AWSTraceHeader
	Sender     string
	Group      string `json:",omitzero"`
	Dedup      string `json:",omitzero"`
	Source     string `json:",omitzero"` // ARN of the queue that it is a dead letter of
	Key        string `json:",omitzero"` // ARN of the key of KMS that it is encrypted with
	Context    string `json:",omitzero"` // ARN of the queue that it was encrypted for, if it has a key
	Sent       time.Time
	First      time.Time `json:",omitzero"` // first receive
	Due        time.Time // when it is visible
	Receives   int       `json:",omitzero"`
}

// A message is found by its queue's id and its place. dues orders the messages
// of standard queues by when they are visible: queue id, time, place.
var (
	messages = record.New[message]("sqs", "message")
	dues     = record.New[due]("sqs", "due")
)

type due struct {
	At       time.Time
	Sequence int64
}

// ordered is a number in a form that sorts.
func ordered(n int64) string { return fmt.Sprintf("%019d", n) }

// putMessage stores a message in place of its earlier form, which was due at
// was, or is new if was is zero.
func putMessage(tx store.Tx, q *queueRecord, m *message, was time.Time) error {
	place := ordered(m.Sequence)
	if err := messages.Put(tx, m, q.ID, place); err != nil || q.fifo() {
		return err
	}
	if !was.IsZero() {
		if err := dues.Delete(tx, q.ID, ordered(was.UnixNano()), place); err != nil {
			return err
		}
	}
	return dues.Put(tx, &due{m.Due, m.Sequence}, q.ID, ordered(m.Due.UnixNano()), place)
}

func deleteMessage(tx store.Tx, q *queueRecord, m *message) error {
	place := ordered(m.Sequence)
	if err := dues.Delete(tx, q.ID, ordered(m.Due.UnixNano()), place); err != nil {
		return err
	}
	return messages.Delete(tx, q.ID, place)
}

func clearMessages(tx store.Tx, queueID string) error {
	if err := dues.DeleteAll(tx, queueID); err != nil {
		return err
	}
	if err := dedups.DeleteAll(tx, queueID); err != nil {
		return err
	}
	if err := forgets.DeleteAll(tx, queueID); err != nil {
		return err
	}
	return messages.DeleteAll(tx, queueID)
}

func (q *queueRecord) expired(m *message, now time.Time) bool {
	return !now.Before(m.Sent.Add(q.seconds(sqsapi.QueueAttributeNameMessageRetentionPeriod)))
}

// handle is the receipt of a message's latest receive.
func (m *message) handle(q *queueRecord) string {
	return base64.StdEncoding.EncodeToString([]byte(q.ID + " " + ordered(m.Sequence) + " " + strconv.Itoa(m.Receives)))
}

// readHandle finds the message of a receipt: nil if it is gone. latest tells
// whether no later receive has given another receipt.
func readHandle(r store.ReadTx, q *queueRecord, handle string) (m *message, latest bool, err error) {
	text, err := base64.StdEncoding.DecodeString(handle)
	parts := strings.Split(string(text), " ")
	if err != nil || len(parts) != 3 || parts[0] != q.ID {
		return nil, false, badHandle(handle)
	}
	m, err = messages.Get(r, q.ID, parts[1])
	return m, m != nil && strconv.Itoa(m.Receives) == parts[2], err
}

// shown is a message as a receiver sees it.
func (m *message) shown(q *queueRecord, in *sqsapi.ReceiveMessageRequest) sqsapi.Message {
	out := sqsapi.Message{
		MessageId: &m.ID, ReceiptHandle: wire.Ptr(m.handle(q)), Body: &m.Body, MD5OfBody: wire.Ptr(digest([]byte(m.Body))),
	}
	wanted := append(slices.Clip(in.AttributeNames), in.MessageSystemAttributeNames...)
	for name, value := range m.system(q) {
		if value != "" && (slices.Contains(wanted, name) || slices.Contains(wanted, sqsapi.MessageSystemAttributeNameAll)) {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[name] = value
		}
	}
	for name, value := range m.Attributes {
		if wants(in.MessageAttributeNames, name) {
			if out.MessageAttributes == nil {
				out.MessageAttributes = map[string]sqsapi.MessageAttributeValue{}
			}
			out.MessageAttributes[name] = value
		}
	}
	if len(out.MessageAttributes) > 0 {
		out.MD5OfMessageAttributes = wire.Ptr(attributeDigest(out.MessageAttributes))
	}
	return out
}

// system are the attributes that SQS gives a message; absent ones are empty.
func (m *message) system(q *queueRecord) map[string]string {
	all := map[string]string{
		sqsapi.MessageSystemAttributeNameSenderId:                         m.Sender,
		sqsapi.MessageSystemAttributeNameSentTimestamp:                    millis(m.Sent),
		sqsapi.MessageSystemAttributeNameApproximateReceiveCount:          strconv.Itoa(m.Receives),
		sqsapi.MessageSystemAttributeNameApproximateFirstReceiveTimestamp: millis(m.First),
		sqsapi.MessageSystemAttributeNameMessageDeduplicationId:           m.Dedup,
		sqsapi.MessageSystemAttributeNameMessageGroupId:                   m.Group,
		sqsapi.MessageSystemAttributeNameAWSTraceHeader:                   m.Trace,
		sqsapi.MessageSystemAttributeNameDeadLetterQueueSourceArn:         m.Source,
	}
	if q.fifo() {
		all[sqsapi.MessageSystemAttributeNameSequenceNumber] = m.number()
	}
	return all
}

// number is the sequence number of a FIFO message; AWS's have twenty digits.
func (m *message) number() string { return "1" + ordered(m.Sequence) }

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// wants tells whether names, which may end in a wildcard, ask for an attribute.
func wants(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		prefix, wild := strings.CutSuffix(n, ".*")
		return n == name || n == "All" || wild && strings.HasPrefix(name, prefix)
	})
}

func digest(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// attributeDigest is the checksum that clients compare (Developer Guide:
// "Calculating the MD5 message digest for message attributes").
func attributeDigest(attributes map[string]sqsapi.MessageAttributeValue) string {
	var b []byte
	add := func(part []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		add([]byte(name))
		add([]byte(wire.Val(a.DataType)))
		if strings.HasPrefix(wire.Val(a.DataType), "Binary") {
			b = append(b, 2)
			add(a.BinaryValue)
		} else {
			b = append(b, 1)
			add([]byte(wire.Val(a.StringValue)))
		}
	}
	return digest(b)
}

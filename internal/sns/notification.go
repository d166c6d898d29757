package sns

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/snsapi"
)

// Types of messages.
const (
	typeNotification = "Notification"
	typeConfirmation = "SubscriptionConfirmation"
)

const messageTime = "2006-01-02T15:04:05.000Z"

// notice is a message as endpoints are told of it, signed.
type notice struct {
	kind, id, topic, text, at, token         string
	subject                                  *string
	signature, version, certificate, goodbye string // goodbye is the link that unsubscribes, or confirms
	attributes                               map[string]snsapi.MessageAttributeValue
}

// render makes what a delivery's target gets.
func (s *Service) render(_ context.Context, d *deliveryRecord, sub *subscriptionRecord, topic *topicRecord) (*Delivery, error) {
	out := &Delivery{Protocol: sub.Protocol, Endpoint: sub.Endpoint, TopicARN: sub.Topic.arn(), Account: sub.Topic.Account, Trace: d.Message.Trace}
	raw := sub.Attributes[attrRaw] == "true" && d.Token == ""
	if d.Dead {
		out.Protocol, out.Endpoint = protocolSQS, sub.deadLetters()
	}
	n, err := s.notice(d, sub, topic)
	if err != nil {
		return nil, err
	}
	switch {
	case raw:
		out.Body, out.Attributes = []byte(n.text), n.attributes
	case out.Protocol == protocolLambda:
		out.Body, err = n.event(sub.arn())
	default:
		out.Body = n.document()
	}
	if sub.isHTTP() && !d.Dead {
		out.Header = n.header(d, sub, topic, raw)
	}
	return out, err
}

func (s *Service) notice(d *deliveryRecord, sub *subscriptionRecord, topic *topicRecord) (*notice, error) {
	m := &d.Message
	n := &notice{
		kind: typeNotification, id: m.ID, topic: sub.Topic.arn(), text: m.body(sub.Protocol), at: m.At.Format(messageTime), attributes: m.Attributes,
		version: "1", goodbye: s.URL + "/?Action=Unsubscribe&SubscriptionArn=" + sub.arn(),
	}
	if m.Subject != "" {
		n.subject = &m.Subject
	}
	if d.Token != "" {
		n.kind, n.token = typeConfirmation, d.Token
		n.goodbye = s.URL + "/?Action=ConfirmSubscription&TopicArn=" + n.topic + "&Token=" + d.Token
	}
	if v := topic.Attributes[attrSignatureVersion]; v != "" {
		n.version = v
	}
	return n, s.sign(n)
}

// signed is the text that the signature is of (Developer Guide: "Verifying the
// signatures of Amazon SNS messages").
func (n *notice) signed() string {
	var b strings.Builder
	line := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	line("Message", n.text)
	line("MessageId", n.id)
	if n.token != "" {
		line("SubscribeURL", n.goodbye)
	}
	if n.subject != nil && n.token == "" {
		line("Subject", *n.subject)
	}
	line("Timestamp", n.at)
	if n.token != "" {
		line("Token", n.token)
	}
	line("TopicArn", n.topic)
	line("Type", n.kind)
	return b.String()
}

// document is the message as queues and HTTP endpoints get it, written as AWS
// writes it.
func (n *notice) document() []byte {
	var lines []string
	add := func(name, value string) { lines = append(lines, "  "+quote(name)+" : "+quote(value)) }
	add("Type", n.kind)
	add("MessageId", n.id)
	if n.token != "" {
		add("Token", n.token)
	}
	add("TopicArn", n.topic)
	if n.subject != nil {
		add("Subject", *n.subject)
	}
	add("Message", n.text)
	if n.token != "" {
		add("SubscribeURL", n.goodbye)
	}
	add("Timestamp", n.at)
	add("SignatureVersion", n.version)
	add("Signature", n.signature)
	add("SigningCertURL", n.certificate)
	if n.token == "" {
		add("UnsubscribeURL", n.goodbye)
	}
	if len(n.attributes) > 0 {
		var inner []string
		for _, name := range slices.Sorted(maps.Keys(n.attributes)) {
			a := n.attributes[name]
			inner = append(inner, "    "+quote(name)+` : {"Type":`+quote(*a.DataType)+`,"Value":`+quote(valueText(&a))+"}")
		}
		lines = append(lines, `  "MessageAttributes" : {`+"\n"+strings.Join(inner, ",\n")+"\n  }")
	}
	return []byte("{\n" + strings.Join(lines, ",\n") + "\n}")
}

func quote(text string) string {
	out, _ := jsontext.AppendQuote(nil, text) // bad UTF-8 is replaced: it can't fail
	return string(out)
}

func valueText(a *snsapi.MessageAttributeValue) string {
	if a.StringValue != nil {
		return *a.StringValue
	}
	return base64.StdEncoding.EncodeToString(a.BinaryValue)
}

// The event of a function; the order of the members is AWS's (Lambda Developer
// Guide: "Invoking Lambda functions with Amazon SNS notifications").
type (
	event struct {
		Records []eventRecord
	}
	eventRecord struct {
		Source       string       `json:"EventSource"`
		Version      string       `json:"EventVersion"`
		Subscription string       `json:"EventSubscriptionArn"`
		SNS          eventMessage `json:"Sns"`
	}
	eventMessage struct {
		Type             string
		MessageID        string `json:"MessageId"`
		TopicArn         string
		Subject          *string
		Message          string
		Timestamp        string
		SignatureVersion string
		Signature        string
		SigningCertURL   string                    `json:"SigningCertUrl"`
		UnsubscribeURL   string                    `json:"UnsubscribeUrl"`
		Attributes       map[string]eventAttribute `json:"MessageAttributes"`
	}
	eventAttribute struct{ Type, Value string }
)

func (n *notice) event(subscriptionARN string) ([]byte, error) {
	attributes := map[string]eventAttribute{}
	for name, a := range n.attributes {
		attributes[name] = eventAttribute{*a.DataType, valueText(&a)}
	}
	return json.Marshal(&event{[]eventRecord{{"aws:sns", "1.0", subscriptionARN, eventMessage{
		n.kind, n.id, n.topic, n.subject, n.text, n.at, n.version, n.signature, n.certificate, n.goodbye, attributes,
	}}}}, json.Deterministic(true))
}

// header is that of a message to an HTTP endpoint (Developer Guide: "HTTP/HTTPS
// headers").
func (n *notice) header(d *deliveryRecord, sub *subscriptionRecord, topic *topicRecord, raw bool) map[string]string {
	contentType := plainText
	if p, err := parseEndpointPolicy(sub.Attributes[attrDeliveryPolicy], parsedOrDefault(topic.Attributes[attrDeliveryPolicy])); err == nil {
		contentType = p.Request.ContentType
	}
	h := map[string]string{
		"Content-Type": contentType, "User-Agent": "Amazon Simple Notification Service Agent",
		"x-amz-sns-message-type": n.kind, "x-amz-sns-message-id": n.id, "x-amz-sns-topic-arn": n.topic,
	}
	if d.Token == "" {
		h["x-amz-sns-subscription-arn"] = sub.arn()
	}
	if d.Message.Trace != "" {
		h["X-Amzn-Trace-Id"] = d.Message.Trace
	}
	if raw {
		h["x-amz-sns-rawdelivery"] = "true"
	}
	return h
}

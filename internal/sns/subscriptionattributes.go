package sns

import (
	"context"
	"maps"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/pattern"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Attributes of subscriptions (API Reference: SetSubscriptionAttributes).
const (
	attrFilterPolicy = "FilterPolicy"
	attrFilterScope  = "FilterPolicyScope"
	attrRaw          = "RawMessageDelivery"
	attrRedrive      = "RedrivePolicy"

	scopeAttributes = "MessageAttributes"
	scopeBody       = "MessageBody"
)

// set sets an attribute, as topicRecord.set does.
func (s *subscriptionRecord) set(where, name, value string) error {
	switch name {
	case attrRaw:
		switch {
		case value != "true" && value != "false":
			return invalid("%sRawMessageDelivery: Invalid value [%s]. Must be true or false.", where, value)
		case value == "true" && s.Protocol == protocolLambda:
			return invalid("%sDelivery protocol [lambda] does not support raw message delivery.", where)
		}
	case attrFilterPolicy:
		if value == "{}" {
			value = ""
		}
		if value != "" {
			if _, err := pattern.Compile(value); err != nil {
				return invalid("%sFilterPolicy: %s", where, pattern.Reason(err))
			}
		}
	case attrFilterScope:
		if value != scopeAttributes && value != scopeBody {
			return invalid("%sFilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", where, value)
		}
	case attrRedrive:
		if value != "" {
			if err := checkRedrive(where, value); err != nil {
				return err
			}
		}
	case attrDeliveryPolicy:
		if value != "" {
			if !s.isHTTP() {
				return invalid("%sDelivery policies are for HTTP and HTTPS endpoints only", where)
			}
			if _, err := parseEndpointPolicy(value, defaultTopicPolicy()); err != nil {
				return deliveryPolicyError(where, err)
			}
		}
	case "SubscriptionRoleArn", "ReplayPolicy":
		if value != "" {
			return wire.NotBuilt("the attribute %s of SNS subscriptions", name)
		}
	default:
		return invalid("%sAttributeName", where)
	}
	if s.Attributes[name] = value; value == "" {
		delete(s.Attributes, name)
	}
	return nil
}

// redrivePolicy says where messages go that can't be delivered.
type redrivePolicy struct {
	Target string `json:"deadLetterTargetArn"`
}

func (s *subscriptionRecord) deadLetters() string {
	var p redrivePolicy
	if json.Unmarshal([]byte(s.Attributes[attrRedrive]), &p) != nil {
		return "" // there is none
	}
	return p.Target
}

func checkRedrive(where, value string) error {
	var p redrivePolicy
	if err := json.Unmarshal([]byte(value), &p); err != nil {
		return invalid("%sRedrivePolicy: failed to parse JSON. %s", where, strings.TrimPrefix(err.Error(), "json: "))
	}
	if a, err := arn.Parse(p.Target); err != nil || a.Service != "sqs" {
		return invalid("%sRedrivePolicy: deadLetterTargetArn is an invalid arn", where)
	}
	return nil
}

// filter is the subscription's filter, nil if everything is for it.
func (s *subscriptionRecord) filter() *pattern.Pattern {
	text := s.Attributes[attrFilterPolicy]
	if text == "" {
		return nil
	}
	p, err := pattern.Compile(text)
	if err != nil {
		return nil // can't happen: it was compiled when it was set
	}
	return p
}

// wants tells whether a message is for the subscription.
func (s *subscriptionRecord) wants(m *message) bool {
	p := s.filter()
	switch {
	case s.pending():
		return false
	case p == nil:
		return true
	case s.Attributes[attrFilterScope] == scopeBody:
		body, err := pattern.Decode([]byte(m.body(s.Protocol)))
		_, object := body.(map[string]any)
		return err == nil && object && p.Matches(body)
	}
	return p.Matches(m.attributeValues())
}

// attributeValues are the message's attributes as filters see them: Binary
// ones aren't seen at all.
func (m *message) attributeValues() map[string]any {
	values := map[string]any{}
	for name, a := range m.Attributes {
		text := wire.Val(a.StringValue)
		switch kind, _, _ := strings.Cut(wire.Val(a.DataType), "."); {
		case *a.DataType == typeStringArray:
			if list, err := pattern.Decode([]byte(text)); err == nil {
				values[name] = list
			}
		case kind == "Number":
			if n, err := strconv.ParseFloat(text, 64); err == nil {
				values[name] = n
			}
		case kind == "String":
			values[name] = text
		}
	}
	return values
}

// GetSubscriptionAttributes returns a subscription's settings.
func (s *Service) GetSubscriptionAttributes(ctx context.Context, in *snsapi.GetSubscriptionAttributesInput) (*snsapi.GetSubscriptionAttributesResponse, error) {
	p, id, err := parseSubscription(in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	out := &snsapi.GetSubscriptionAttributesResponse{}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		sub, err := subscriptions.Get(r, p.key(id)...)
		if err == nil && (sub == nil || !sub.visibleTo(wire.CallerFrom(ctx))) {
			err = noSubscription()
		}
		if err != nil {
			return err
		}
		topic, err := getTopic(r, p)
		if err == nil {
			out.Attributes, err = sub.shown(topic)
		}
		return err
	})
	return out, err
}

// visibleTo tells whether the caller's account owns the subscription or its topic.
func (s *subscriptionRecord) visibleTo(c *wire.Caller) bool {
	return c.Account == s.Owner || c.Account == s.Topic.Account
}

func (s *subscriptionRecord) shown(topic *topicRecord) (map[string]string, error) {
	all := map[string]string{
		"SubscriptionArn": s.arn(), "TopicArn": s.Topic.arn(), "Protocol": s.Protocol, "Endpoint": s.Endpoint, "Owner": s.Owner,
		"SubscriptionPrincipal": s.Principal, "PendingConfirmation": strconv.FormatBool(s.pending()),
		"ConfirmationWasAuthenticated": strconv.FormatBool(!s.pending() && !s.Unsigned), attrRaw: "false",
	}
	maps.Copy(all, s.Attributes)
	delete(all, attrFilterScope)
	if all[attrFilterPolicy] != "" {
		if all[attrFilterScope] = s.Attributes[attrFilterScope]; all[attrFilterScope] == "" {
			all[attrFilterScope] = scopeAttributes
		}
	}
	if s.isHTTP() {
		p, err := parseEndpointPolicy(s.Attributes[attrDeliveryPolicy], parsedOrDefault(topic.Attributes[attrDeliveryPolicy]))
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(p)
		if err != nil {
			return nil, err
		}
		all["EffectiveDeliveryPolicy"] = string(text)
	}
	return all, nil
}

// SetSubscriptionAttributes changes one of a subscription's settings.
func (s *Service) SetSubscriptionAttributes(ctx context.Context, in *snsapi.SetSubscriptionAttributesInput) error {
	p, id, err := parseSubscription(in.SubscriptionArn)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		sub, err := subscriptions.Get(tx, p.key(id)...)
		if err == nil && (sub == nil || !sub.visibleTo(wire.CallerFrom(ctx))) {
			err = noSubscription()
		}
		if err == nil {
			err = sub.set("", *in.AttributeName, wire.Val(in.AttributeValue))
		}
		if err != nil {
			return err
		}
		return subscriptions.Put(tx, sub, p.key(id)...)
	})
}

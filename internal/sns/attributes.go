package sns

import (
	"maps"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/wire"
)

// Attributes of topics (API Reference: SetTopicAttributes).
const (
	attrPolicy           = "Policy"
	attrDisplayName      = "DisplayName"
	attrDeliveryPolicy   = "DeliveryPolicy"
	attrSignatureVersion = "SignatureVersion"
	attrTracing          = "TracingConfig"
)

// set sets an attribute; the empty text takes it back to its default. where is
// the beginning of what is said about a value that won't do.
func (t *topicRecord) set(where, name, value string) error {
	switch name {
	case attrPolicy:
		if _, err := policy.Parse([]byte(value), policy.Resource); value != "" && err != nil {
			return invalid("%sPolicy Error: null", where)
		}
	case attrDisplayName:
		if len(value) > 100 {
			return invalid("%sDisplayName", where)
		}
	case attrDeliveryPolicy:
		if value != "" {
			if _, err := parseTopicPolicy(value); err != nil {
				return deliveryPolicyError(where, err)
			}
		}
	case attrSignatureVersion:
		if value != "1" && value != "2" {
			return invalid("%sSignatureVersion", where)
		}
	case attrTracing:
		switch value {
		case "", "PassThrough":
		case "Active":
			return wire.NotBuilt("active tracing of SNS topics: there is no X-Ray")
		default:
			return invalid("%sTracingConfig", where)
		}
	case "FifoTopic":
		if value != "false" {
			return wire.NotBuilt("FIFO topics of SNS")
		}
		return nil
	case "ContentBasedDeduplication", "FifoThroughputScope", "ArchivePolicy":
		if value != "" && value != "false" {
			return invalid("%s%s", where, name) // only FIFO topics have it
		}
		return nil
	case attrKey:
	default:
		if err := checkFeedback(where, name, value); err != nil {
			return err
		}
	}
	if t.Attributes[name] = value; value == "" {
		delete(t.Attributes, name)
	}
	return nil
}

// checkFeedback checks an attribute of the logs of deliveries. Without a role,
// which turns them on, a sample rate means nothing.
func checkFeedback(where, name, value string) error {
	for _, protocol := range []string{"HTTP", "Lambda", "SQS", "Firehose", "Application"} {
		rest, ok := strings.CutPrefix(name, protocol)
		switch {
		case !ok:
		case rest == "SuccessFeedbackRoleArn", rest == "FailureFeedbackRoleArn":
			if value != "" {
				return wire.NotBuilt("logs of SNS's deliveries (%s)", name)
			}
			return nil
		case rest == "SuccessFeedbackSampleRate":
			if n, err := strconv.Atoi(value); value != "" && (err != nil || n < 0 || n > 100) {
				return invalid("%s%s", where, name)
			}
			return nil
		}
	}
	return invalid("%sAttributeName", where)
}

// shown are the attributes as GetTopicAttributes tells them, without the counts.
func (t *topicRecord) shown() map[string]string {
	own := parsedOrDefault(t.Attributes[attrDeliveryPolicy])
	effective, err := json.Marshal(own)
	if err != nil {
		effective = []byte("{}") // can't happen: it was read from JSON
	}
	all := map[string]string{
		"TopicArn": t.place().arn(), "Owner": t.Account, attrDisplayName: "", "EffectiveDeliveryPolicy": string(effective),
		attrPolicy: t.policy(),
	}
	maps.Copy(all, t.Attributes)
	return all
}

// defaultActions are what a new topic's policy lets its account do.
var defaultActions = []string{
	"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic",
	"SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
}

// policy is the text of the topic's policy: the one that was set, or AWS's for
// new topics.
func (t *topicRecord) policy() string {
	if set := t.Attributes[attrPolicy]; set != "" {
		return set
	}
	actions, err := json.Marshal(defaultActions)
	if err != nil {
		return "" // can't happen: they are texts
	}
	return `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow",` +
		`"Principal":{"AWS":"*"},"Action":` + string(actions) + `,"Resource":"` + t.place().arn() +
		`","Condition":{"StringEquals":{"AWS:SourceOwner":"` + t.Account + `"}}}]}`
}

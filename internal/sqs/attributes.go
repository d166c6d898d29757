package sqs

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// numeric are the attributes that are numbers, with their limits and defaults
// (API Reference: SetQueueAttributes).
var numeric = map[string]struct{ low, high, normal int64 }{
	sqsapi.QueueAttributeNameDelaySeconds:                  {0, 900, 0},
	sqsapi.QueueAttributeNameMaximumMessageSize:            {1024, 1048576, 1048576},
	sqsapi.QueueAttributeNameMessageRetentionPeriod:        {60, 1209600, 345600},
	sqsapi.QueueAttributeNameReceiveMessageWaitTimeSeconds: {0, 20, 0},
	sqsapi.QueueAttributeNameVisibilityTimeout:             {0, 43200, 30},
}

// FIFO attributes with their values, the default first.
var choices = map[string][]string{
	sqsapi.QueueAttributeNameContentBasedDeduplication: {"false", "true"},
	sqsapi.QueueAttributeNameDeduplicationScope:        {"queue", "messageGroup"},
	sqsapi.QueueAttributeNameFifoThroughputLimit:       {"perQueue", "perMessageGroupId"},
}

// number is a numeric attribute of the queue, or its default.
func (q *queueRecord) number(name string) int64 {
	if n, err := strconv.ParseInt(q.Attributes[name], 10, 64); err == nil {
		return n
	}
	return numeric[name].normal
}

func (q *queueRecord) seconds(name string) time.Duration {
	return time.Duration(q.number(name)) * time.Second
}

// redrivePolicy says where messages go that were received too often.
type redrivePolicy struct {
	Target string      `json:"deadLetterTargetArn"`
	Max    json.Number `json:"maxReceiveCount"`
}

func (q *queueRecord) redrive() (target string, after int64) {
	var p redrivePolicy
	if err := json.Unmarshal([]byte(q.Attributes[sqsapi.QueueAttributeNameRedrivePolicy]), &p); err != nil {
		return "", 0
	}
	after, _ = p.Max.Int64()
	return p.Target, after
}

// checkAttribute checks one attribute that is to be set on the queue.
func checkAttribute(q *queueRecord, name, value string) error {
	if limits, ok := numeric[name]; ok {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < limits.low || n > limits.high {
			return invalidValue(name)
		}
		return nil
	}
	if _, fifo := choices[name]; fifo {
		return checkChoice(q, name, value)
	}
	switch name {
	case sqsapi.QueueAttributeNamePolicy:
		return checkPolicy(name, value)
	case sqsapi.QueueAttributeNameRedrivePolicy:
		return checkRedrive(q, value)
	case sqsapi.QueueAttributeNameRedriveAllowPolicy:
		return checkAllow(name, value)
	case sqsapi.QueueAttributeNameKmsMasterKeyId: // looked at when messages are sent, as AWS does
	case sqsapi.QueueAttributeNameKmsDataKeyReusePeriodSeconds:
		if n, err := strconv.Atoi(value); err != nil || n < 60 || n > 86400 {
			return invalidValue(name)
		}
	case sqsapi.QueueAttributeNameSqsManagedSseEnabled:
		// This says who holds the key: AWS does, and here whoever owns the data
		// directory.
		if value != "true" && value != "false" {
			return invalidValue(name)
		}
	case sqsapi.QueueAttributeNameFifoQueue:
		if value != "true" || !q.fifo() {
			return invalidValue(name)
		}
	default:
		return &sqsapi.InvalidAttributeName{Message: wire.Ptr("Unknown Attribute " + name + ".")}
	}
	return nil
}

func checkChoice(q *queueRecord, name, value string) error {
	if !q.fifo() {
		return &sqsapi.InvalidAttributeName{Message: wire.Ptr("You can specify the " + name + " only when FifoQueue is set to true.")}
	}
	if !slices.Contains(choices[name], value) {
		return invalidValue(name)
	}
	return nil
}

func checkRedrive(q *queueRecord, value string) error {
	if value == "" {
		return nil
	}
	var p redrivePolicy
	if err := json.Unmarshal([]byte(value), &p); err != nil {
		return invalidRedrive("Redrive policy is not a valid JSON map.")
	}
	n, err := p.Max.Int64()
	target, isQueue := placeOfARN(p.Target)
	switch {
	case p.Target == "":
		return invalidRedrive("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	case p.Max == "":
		return invalidRedrive("Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	case err != nil || n < 1 || n > 1000:
		return invalidRedrive("Invalid value for maxReceiveCount: %s, valid values are from 1 to 1000 both inclusive.", p.Max)
	case !isQueue:
		return invalidRedrive("Invalid value for deadLetterTargetArn.")
	case target.account != q.Account || target.region != q.Region:
		return invalidRedrive("Dead letter target owned by the same AWS account and region is required.")
	case (&queueRecord{Name: target.name}).fifo() != q.fifo():
		return invalidRedrive("Dead-letter queue must be same type of queue as the source.")
	}
	return nil
}

// allowPolicy says for whose dead letters a queue is.
type allowPolicy struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns"`
}

// The values of redrivePermission; without a policy all are allowed.
const (
	allowAll = "allowAll"
	denyAll  = "denyAll"
	byQueue  = "byQueue"

	maxAllowed = 10
)

func checkAllow(name, value string) error {
	if value == "" {
		return nil
	}
	var p allowPolicy
	if err := json.Unmarshal([]byte(value), &p); err != nil {
		return invalidValue(name)
	}
	listed := len(p.Sources) > 0
	switch {
	case p.Permission == byQueue && listed && len(p.Sources) <= maxAllowed, (p.Permission == allowAll || p.Permission == denyAll) && !listed:
		return nil
	}
	return invalidValue(name)
}

// takes tells whether the queue may hold the dead letters of another.
func (q *queueRecord) takes(sourceARN string) bool {
	var p allowPolicy
	if err := json.Unmarshal([]byte(q.Attributes[sqsapi.QueueAttributeNameRedriveAllowPolicy]), &p); err != nil {
		return true // there is no policy
	}
	return p.Permission == allowAll || p.Permission == byQueue && slices.Contains(p.Sources, sourceARN)
}

// shown are the queue's attributes as GetQueueAttributes tells them, without
// the counts.
func (q *queueRecord) shown() map[string]string {
	all := map[string]string{
		sqsapi.QueueAttributeNameQueueArn:              q.arn(),
		sqsapi.QueueAttributeNameCreatedTimestamp:      strconv.FormatInt(q.Created.Unix(), 10),
		sqsapi.QueueAttributeNameLastModifiedTimestamp: strconv.FormatInt(q.Modified.Unix(), 10),
		sqsapi.QueueAttributeNameSqsManagedSseEnabled:  "true",
	}
	for name := range numeric {
		all[name] = strconv.FormatInt(q.number(name), 10)
	}
	if q.fifo() {
		for name, values := range choices {
			all[name] = values[0]
		}
	}
	if q.key() != "" {
		all[sqsapi.QueueAttributeNameSqsManagedSseEnabled] = "false"
		all[sqsapi.QueueAttributeNameKmsDataKeyReusePeriodSeconds] = keyReusePeriod
	}
	maps.Copy(all, q.Attributes)
	return all
}

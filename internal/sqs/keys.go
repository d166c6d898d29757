package sqs

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// Keys are the keys of KMS that queues have.
type Keys interface {
	// Use reports whether the context's caller may do the actions, such as
	// "GenerateDataKey", with a key under an encryption context, and returns the
	// key's ARN. An id or alias means a key of the account. What KMS refuses is a
	// *wire.Error with its code, worded as services pass it on.
	Use(ctx context.Context, account, key string, about map[string]string, actions ...string) (keyARN string, err error)
}

// keyReusePeriod is how long SQS keeps a data key if nothing else is set
// (API Reference: SetQueueAttributes).
const keyReusePeriod = "300"

// key is the key of KMS that the queue names: an id, ARN or alias, or "".
func (q *queueRecord) key() string { return q.Attributes[sqsapi.QueueAttributeNameKmsMasterKeyId] }

// setKey sees to it that a queue has one sort of encryption: turning one on
// turns the other off.
func (q *queueRecord) setKey(attributes map[string]string) error {
	managed := attributes[sqsapi.QueueAttributeNameSqsManagedSseEnabled] == "true"
	key := attributes[sqsapi.QueueAttributeNameKmsMasterKeyId]
	switch {
	case managed && key != "":
		return &sqsapi.InvalidAttributeName{Message: wire.Ptr("You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")}
	case managed:
		delete(q.Attributes, sqsapi.QueueAttributeNameKmsMasterKeyId)
	case key != "":
		delete(q.Attributes, sqsapi.QueueAttributeNameSqsManagedSseEnabled)
	}
	return nil
}

// encrypt notes the key that messages are encrypted with, which the caller must
// be allowed to use for that (Developer Guide: "Configure KMS permissions for
// producers"). SQS goes on with a data key for the queue's reuse period; here
// every call asks, so that a change of the key is felt at once.
func (s *Service) encrypt(ctx context.Context, q *queueRecord, batch ...*message) error {
	if q.key() == "" || len(batch) == 0 {
		return nil
	}
	keyARN, err := s.Keys.Use(ctx, q.Account, q.key(), encryptionContext(q.arn()), "GenerateDataKey", "Decrypt")
	if err != nil {
		return keyError(err)
	}
	for _, m := range batch {
		m.Key, m.Context = keyARN, q.arn()
	}
	return nil
}

// MaySend reports whether the context's caller may use the key of a queue to
// send to it. The queue's own policy is not looked at.
func (s *Service) MaySend(ctx context.Context, queueURL *string) error {
	q, err := s.find(ctx, queueURL)
	if err != nil {
		return err
	}
	return s.encrypt(ctx, q, &message{})
}

// sealing is what a message is encrypted with and for.
type sealing struct{ key, queueARN string }

func (m *message) sealing() sealing { return sealing{m.Key, m.Context} }

// decrypt reports what the caller may decrypt of messages: they keep the key
// that they were sent with, wherever they are moved to. An error says that
// something may not be, and then nothing is received.
func (s *Service) decrypt(ctx context.Context, q *queueRecord, found []*message) (open map[sealing]bool, err error) {
	open = map[sealing]bool{{}: true}
	for _, m := range found {
		by := m.sealing()
		if open[by] {
			continue
		}
		if _, err := s.Keys.Use(ctx, q.Account, by.key, encryptionContext(by.queueARN), "Decrypt"); err != nil {
			return nil, keyError(err)
		}
		open[by] = true
	}
	return open, nil
}

func encryptionContext(queueARN string) map[string]string {
	return map[string]string{"aws:sqs:arn": queueARN}
}

// keyError is SQS's error for one of KMS's.
func keyError(err error) error {
	refused, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	switch refused.Code {
	case "AccessDeniedException":
		return &sqsapi.KmsAccessDenied{Message: &refused.Message}
	case "DisabledException":
		return &sqsapi.KmsDisabled{Message: &refused.Message}
	case "NotFoundException":
		return &sqsapi.KmsNotFound{Message: &refused.Message}
	case "InvalidKeyUsageException":
		return &sqsapi.KmsInvalidKeyUsage{Message: &refused.Message}
	case "KMSInvalidStateException":
		return &sqsapi.KmsInvalidState{Message: &refused.Message}
	}
	return err
}

package sqs

import (
	"context"
	"errors"
	"regexp"
	"strconv"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	maxBatch      = 10
	maxBatchBytes = 1048576
)

var batchIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkBatch checks the ids of a batch's entries.
func checkBatch(ids []*string, entry string) error {
	if len(ids) == 0 {
		return &sqsapi.EmptyBatchRequest{Message: wire.Ptr("There should be at least one " + entry + " in the request.")}
	}
	if len(ids) > maxBatch {
		return &sqsapi.TooManyEntriesInBatchRequest{Message: wire.Ptr("Maximum number of entries per request are 10. You have sent " + strconv.Itoa(len(ids)) + ".")}
	}
	seen := map[string]bool{}
	for _, id := range ids {
		switch text := wire.Val(id); {
		case !batchIDForm.MatchString(text):
			return &sqsapi.InvalidBatchEntryId{Message: wire.Ptr("A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")}
		case seen[text]:
			return &sqsapi.BatchEntryIdsNotDistinct{Message: wire.Ptr("Id " + text + " repeated.")}
		default:
			seen[text] = true
		}
	}
	return nil
}

// failed is what a batch's answer says of an entry that failed; an error that
// is the server's own ends the whole call.
func failed(id *string, err error) (sqsapi.BatchResultErrorEntry, error) {
	var modelled wire.ModelledError
	var plain *wire.Error
	if !errors.As(err, &modelled) && !errors.As(err, &plain) {
		return sqsapi.BatchResultErrorEntry{}, err
	}
	var fact error = plain
	if modelled != nil {
		fact = modelled
	}
	code, _, fault, text := wire.ErrorFacts(fact)
	return sqsapi.BatchResultErrorEntry{Id: id, Code: &code, Message: &text, SenderFault: wire.Ptr(!fault)}, nil
}

// SendMessageBatch puts up to ten messages into a queue.
func (s *Service) SendMessageBatch(ctx context.Context, in *sqsapi.SendMessageBatchRequest) (*sqsapi.SendMessageBatchResult, error) {
	q, err := s.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	ids, bytes := make([]*string, len(in.Entries)), 0
	single := make([]*sqsapi.SendMessageRequest, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.Id
		single[i] = &sqsapi.SendMessageRequest{
			QueueUrl: in.QueueUrl, MessageBody: e.MessageBody, DelaySeconds: e.DelaySeconds, MessageAttributes: e.MessageAttributes,
			MessageSystemAttributes: e.MessageSystemAttributes, MessageDeduplicationId: e.MessageDeduplicationId, MessageGroupId: e.MessageGroupId,
		}
		bytes += size(single[i])
	}
	if err := checkBatch(ids, "SendMessageBatchRequestEntry"); err != nil {
		return nil, err
	}
	if bytes > maxBatchBytes {
		return nil, &sqsapi.BatchRequestTooLong{Message: wire.Ptr("Batch requests cannot be longer than " + strconv.Itoa(maxBatchBytes) + " bytes. You have sent " + strconv.Itoa(bytes) + " bytes.")}
	}
	out := &sqsapi.SendMessageBatchResult{Successful: []sqsapi.SendMessageBatchResultEntry{}}
	var batch []*message
	var from []int
	for i := range single {
		m, err := s.newMessage(ctx, q, single[i])
		if err != nil {
			entry, err := failed(ids[i], err)
			if err != nil {
				return nil, err
			}
			out.Failed = append(out.Failed, entry)
			continue
		}
		batch, from = append(batch, m), append(from, i)
	}
	if err := s.encrypt(ctx, q, batch...); err != nil {
		return nil, err
	}
	if err := s.put(ctx, q, batch); err != nil {
		return nil, err
	}
	for k, m := range batch {
		one := sent(q, m, single[from[k]].MessageSystemAttributes)
		out.Successful = append(out.Successful, sqsapi.SendMessageBatchResultEntry{
			Id: ids[from[k]], MessageId: one.MessageId, MD5OfMessageBody: one.MD5OfMessageBody, MD5OfMessageAttributes: one.MD5OfMessageAttributes,
			MD5OfMessageSystemAttributes: one.MD5OfMessageSystemAttributes, SequenceNumber: one.SequenceNumber,
		})
	}
	return out, nil
}

// DeleteMessageBatch deletes up to ten messages.
func (s *Service) DeleteMessageBatch(ctx context.Context, in *sqsapi.DeleteMessageBatchRequest) (*sqsapi.DeleteMessageBatchResult, error) {
	q, err := s.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	ids := make([]*string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.Id
	}
	if err := checkBatch(ids, "DeleteMessageBatchRequestEntry"); err != nil {
		return nil, err
	}
	out := &sqsapi.DeleteMessageBatchResult{Successful: []sqsapi.DeleteMessageBatchResultEntry{}}
	for _, e := range in.Entries {
		if err := s.remove(ctx, q, wire.Val(e.ReceiptHandle)); err != nil {
			entry, err := failed(e.Id, err)
			if err != nil {
				return nil, err
			}
			out.Failed = append(out.Failed, entry)
			continue
		}
		out.Successful = append(out.Successful, sqsapi.DeleteMessageBatchResultEntry{Id: e.Id})
	}
	return out, nil
}

// ChangeMessageVisibilityBatch changes the visibility of up to ten messages.
func (s *Service) ChangeMessageVisibilityBatch(ctx context.Context, in *sqsapi.ChangeMessageVisibilityBatchRequest) (*sqsapi.ChangeMessageVisibilityBatchResult, error) {
	q, err := s.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	ids := make([]*string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.Id
	}
	if err := checkBatch(ids, "ChangeMessageVisibilityBatchRequestEntry"); err != nil {
		return nil, err
	}
	out := &sqsapi.ChangeMessageVisibilityBatchResult{Successful: []sqsapi.ChangeMessageVisibilityBatchResultEntry{}}
	for _, e := range in.Entries {
		if err := s.postpone(ctx, q, wire.Val(e.ReceiptHandle), wire.Val(e.VisibilityTimeout)); err != nil {
			entry, err := failed(e.Id, err)
			if err != nil {
				return nil, err
			}
			out.Failed = append(out.Failed, entry)
			continue
		}
		out.Successful = append(out.Successful, sqsapi.ChangeMessageVisibilityBatchResultEntry{Id: e.Id})
	}
	return out, nil
}

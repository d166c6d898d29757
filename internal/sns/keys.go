package sns

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Keys are the keys of KMS that topics have.
type Keys interface {
	// Use reports whether the context's caller may do the actions, such as
	// "GenerateDataKey", with a key under an encryption context, and returns the
	// key's ARN. An id or alias means a key of the account. What KMS refuses is a
	// *wire.Error with its code, worded as services pass it on.
	Use(ctx context.Context, account, key string, about map[string]string, actions ...string) (keyARN string, err error)
}

// attrKey is the key of KMS that a topic names: an id, ARN or alias. Like SNS,
// butai looks at it when messages are published.
const attrKey = "KmsMasterKeyId"

// MayPublish reports whether the context's caller may use the key of a topic to
// publish to it (Developer Guide: "Managing Amazon SNS encryption keys and
// costs"). The topic's own policy is not looked at. A change of the key is felt
// at once: there is no data key that is used again.
func (s *Service) MayPublish(ctx context.Context, topicARN *string) error {
	p, err := parseTopic("TopicArn", topicARN)
	if err != nil {
		return err
	}
	return s.encrypt(ctx, p)
}

func (s *Service) encrypt(ctx context.Context, p place) error {
	var t *topicRecord
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		var err error
		t, err = topics.Get(r, p.key()...)
		return err
	})
	if err != nil || t == nil || t.Attributes[attrKey] == "" {
		return err
	}
	_, err = s.Keys.Use(ctx, p.Account, t.Attributes[attrKey], map[string]string{"aws:sns:topicArn": p.arn()}, "GenerateDataKey", "Decrypt")
	return keyError(err)
}

// keyError is SNS's error for one of KMS's.
func keyError(err error) error {
	refused, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	switch refused.Code {
	case "AccessDeniedException":
		return &snsapi.KMSAccessDeniedException{Message: &refused.Message}
	case "DisabledException":
		return &snsapi.KMSDisabledException{Message: &refused.Message}
	case "NotFoundException":
		return &snsapi.KMSNotFoundException{Message: &refused.Message}
	case "KMSInvalidStateException", "InvalidKeyUsageException": // SNS has no code for the latter
		return &snsapi.KMSInvalidStateException{Message: &refused.Message}
	}
	return err
}

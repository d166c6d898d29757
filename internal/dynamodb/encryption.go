package dynamodb

import (
	"context"
	"errors"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Keys are the keys of KMS that tables have. What KMS refuses is a *wire.Error
// with its code, worded as services pass it on.
type Keys interface {
	// Use reports whether the context's caller may do the actions, such as
	// "Decrypt", with a key under an encryption context, and returns the key's
	// ARN. An id or alias means a key of the account.
	Use(ctx context.Context, account, key string, about map[string]string, actions ...string) (keyARN string, err error)
	// Grant lets a service use a key under an encryption context, in the name of
	// the context's caller, and returns the grant's id: "" for a key that AWS
	// manages, which needs none.
	Grant(ctx context.Context, key, service string, about map[string]string, operations ...string) (keyARN, id string, err error)
	// Retire ends a grant, if there still is such a one.
	Retire(ctx context.Context, keyARN, id string) error
}

// managedKey is the alias of the key that AWS manages for DynamoDB.
const managedKey = "alias/aws/dynamodb"

// granted are what DynamoDB does with a table's key (seen in ListGrants).
var granted = []string{"Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo", "RetireGrant", "DescribeKey"}

// sealing is the key of a table: nothing for one of DynamoDB's own.
type sealing struct {
	description *dynamodbapi.SSEDescription
	grant       string // id; "" for the key that AWS manages
}

// seal sees to it that a table can have the key that a request asks for. Items
// are in the store as they are: whoever owns the data directory holds all keys.
func (s *Service) seal(ctx context.Context, key tableKey, in *dynamodbapi.SSESpecification) (sealing, error) {
	if in == nil {
		return sealing{}, nil
	}
	name := wire.Val(in.KMSMasterKeyId)
	if !wire.Val(in.Enabled) {
		if name != "" || in.SSEType != nil {
			return sealing{}, validation("One or more parameter values were invalid: SSEType and KMSMasterKeyId can only be specified if SSE is enabled")
		}
		return sealing{}, nil
	}
	if wire.Val(in.SSEType) == dynamodbapi.SSETypeAES256 {
		return sealing{}, validation("One or more parameter values were invalid: SSEType AES256 is not supported")
	}
	if s.keys == nil {
		return sealing{}, wire.NotBuilt("keys of KMS for tables of a DynamoDB without KMS")
	}
	if name == "" {
		name = managedKey
	}
	keyARN, grant, err := s.keys.Grant(ctx, name, key.principal(), key.encryptionContext(), granted...)
	if refused, ok := errors.AsType[*wire.Error](err); ok && refused.Code != "AccessDeniedException" {
		return sealing{}, validation("KMS validation error: %s", refused.Message)
	}
	if err != nil {
		return sealing{}, keyDenied(err)
	}
	return sealing{grant: grant, description: &dynamodbapi.SSEDescription{
		Status: wire.Ptr(dynamodbapi.SSEStatusENABLED), SSEType: wire.Ptr(dynamodbapi.SSETypeKMS), KMSMasterKeyArn: &keyARN,
	}}, nil
}

// unseal ends what seal began for a table that has another key now, or is gone.
// A failure leaves a grant that nobody uses.
func (s *Service) unseal(ctx context.Context, was sealing) {
	if was.grant == "" {
		return
	}
	if err := s.keys.Retire(context.WithoutCancel(ctx), *was.description.KMSMasterKeyArn, was.grant); err != nil {
		s.log.Warn("a table's grant of its key wasn't retired", "key", *was.description.KMSMasterKeyArn, "grant", was.grant, "error", err)
	}
}

func (r *tableRecord) sealing() sealing { return sealing{r.Description.SSEDescription, r.KeyGrant} }

func (r *tableRecord) setSealing(by sealing) {
	r.Description.SSEDescription, r.KeyGrant, r.Unreachable = by.description, by.grant, time.Time{}
}

// principal is what DynamoDB is to keys.
func (k tableKey) principal() string { return "dynamodb." + k.region + ".amazonaws.com" }

// encryptionContext is what a table's key is used under (Developer Guide:
// "DynamoDB encryption at rest: usage notes").
func (k tableKey) encryptionContext() map[string]string {
	return map[string]string{"aws:dynamodb:tableName": k.name, "aws:dynamodb:subscriberId": k.account}
}

// open reports whether the caller may use the table's items: DynamoDB must
// reach the key by its grant, and the caller be allowed to decrypt with it.
// AWS remembers that for minutes; here every request asks.
func (s *Service) open(ctx context.Context, r *tableRecord) error {
	if r.KeyGrant == "" {
		return nil
	}
	if err := s.reach(ctx, r); err != nil {
		return keyDenied(err)
	}
	k := r.key()
	_, err := s.keys.Use(ctx, k.account, *r.Description.SSEDescription.KMSMasterKeyArn, k.encryptionContext(), "Decrypt")
	return keyDenied(err)
}

// reach reports whether DynamoDB itself can use the table's key.
func (s *Service) reach(ctx context.Context, r *tableRecord) error {
	k := r.key()
	ctx = wire.WithCaller(ctx, &wire.Caller{
		Account: k.account, Region: k.region, ARN: k.principal(), Service: k.principal(), SourceARN: k.arn(), SourceAccount: k.account,
	})
	_, err := s.keys.Use(ctx, k.account, *r.Description.SSEDescription.KMSMasterKeyArn, k.encryptionContext(), "Decrypt")
	return err
}

// keyDenied is DynamoDB's answer to who can't use a table's key (seen in answers
// to PutItem).
func keyDenied(err error) error {
	refused, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	class := refused.Code
	if class == "AccessDeniedException" {
		class = "AWSKMSException"
	}
	return wire.Errorf("AccessDeniedException", "KMS key access denied error: com.amazonaws.services.kms.model.%s: %s", class, refused.Message)
}

// looked returns the record as DescribeTable shows it: a table whose key can't
// be reached says so, and since when.
func (s *Service) looked(ctx context.Context, r *tableRecord) (*tableRecord, error) {
	if r.KeyGrant == "" {
		return r, nil
	}
	err := s.reach(ctx, r)
	if _, refused := errors.AsType[*wire.Error](err); err != nil && !refused {
		return nil, err
	}
	if (err == nil) != r.Unreachable.IsZero() {
		since := time.Time{}
		if err != nil {
			since = s.clock.Now().Truncate(time.Millisecond)
		}
		changed, err := s.change(ctx, r.Description.TableName, func(_ store.Tx, r *tableRecord) error {
			r.Unreachable = since
			return nil
		})
		if err != nil {
			return nil, err
		}
		r = changed
	}
	if r.Unreachable.IsZero() {
		return r, nil
	}
	shown, sse := *r, *r.Description.SSEDescription
	sse.InaccessibleEncryptionDateTime = &r.Unreachable
	shown.Description.TableStatus, shown.Description.SSEDescription = wire.Ptr(dynamodbapi.TableStatusINACCESSIBLEENCRYPTIONCREDENTIALS), &sse
	return &shown, nil
}

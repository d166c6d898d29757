package dynamodb

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/wire"
)

// Keys tells whether a key of KMS can encrypt a table.
type Keys interface {
	// ForTable returns the ARN of a key that the context's caller may encrypt
	// tables with. Errors are KMS's.
	ForTable(ctx context.Context, key string) (keyARN string, err error)
}

// managedKey is the alias of the key that AWS manages for DynamoDB.
const managedKey = "alias/aws/dynamodb"

// encryption is what a table's description says of its key after a request; nil
// for a key of DynamoDB's own. Items are in the store as they are: whoever owns
// the data directory holds that key, and the one that AWS manages, as much as AWS
// does. A key of the user's would have to be felt when items are read: its policy,
// and that it was disabled. That isn't built, so such keys are refused.
func (s *Service) encryption(ctx context.Context, in *dynamodbapi.SSESpecification) (*dynamodbapi.SSEDescription, error) {
	if in == nil {
		return nil, nil
	}
	key := wire.Val(in.KMSMasterKeyId)
	if !wire.Val(in.Enabled) {
		if key != "" || in.SSEType != nil {
			return nil, validation("One or more parameter values were invalid: SSEType and KMSMasterKeyId can only be specified if SSE is enabled")
		}
		return nil, nil
	}
	if wire.Val(in.SSEType) == dynamodbapi.SSETypeAES256 {
		return nil, validation("One or more parameter values were invalid: SSEType AES256 is not supported")
	}
	if key != "" && key != managedKey && !strings.HasSuffix(key, ":"+managedKey) {
		return nil, wire.NotBuilt("parameter SSESpecification.KMSMasterKeyId: items aren't encrypted with keys of one's own")
	}
	if s.keys == nil {
		return nil, wire.NotBuilt("keys of KMS for tables of a DynamoDB without KMS")
	}
	keyARN, err := s.keys.ForTable(ctx, managedKey)
	if err != nil {
		code, _, _, message := wire.ErrorFacts(err)
		return nil, validation("KMS validation error: %s (Service: Kms, Status Code: 400, Error Code: %s)", message, code)
	}
	return &dynamodbapi.SSEDescription{
		Status: wire.Ptr(dynamodbapi.SSEStatusENABLED), SSEType: wire.Ptr(dynamodbapi.SSETypeKMS), KMSMasterKeyArn: &keyARN,
	}, nil
}

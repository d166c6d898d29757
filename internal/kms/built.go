package kms

import (
	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// The operations that Service offers.
var _ interface {
	kmsapi.CancelKeyDeletionAPI
	kmsapi.CreateAliasAPI
	kmsapi.CreateGrantAPI
	kmsapi.CreateKeyAPI
	kmsapi.DecryptAPI
	kmsapi.DeleteAliasAPI
	kmsapi.DeriveSharedSecretAPI
	kmsapi.DescribeKeyAPI
	kmsapi.DisableKeyAPI
	kmsapi.DisableKeyRotationAPI
	kmsapi.EnableKeyAPI
	kmsapi.EnableKeyRotationAPI
	kmsapi.EncryptAPI
	kmsapi.GenerateDataKeyAPI
	kmsapi.GenerateDataKeyPairAPI
	kmsapi.GenerateDataKeyPairWithoutPlaintextAPI
	kmsapi.GenerateDataKeyWithoutPlaintextAPI
	kmsapi.GenerateMacAPI
	kmsapi.GenerateRandomAPI
	kmsapi.GetKeyPolicyAPI
	kmsapi.GetKeyRotationStatusAPI
	kmsapi.GetPublicKeyAPI
	kmsapi.ListAliasesAPI
	kmsapi.ListGrantsAPI
	kmsapi.ListKeyPoliciesAPI
	kmsapi.ListKeyRotationsAPI
	kmsapi.ListKeysAPI
	kmsapi.ListResourceTagsAPI
	kmsapi.ListRetirableGrantsAPI
	kmsapi.PutKeyPolicyAPI
	kmsapi.ReEncryptAPI
	kmsapi.RetireGrantAPI
	kmsapi.RevokeGrantAPI
	kmsapi.RotateKeyOnDemandAPI
	kmsapi.ScheduleKeyDeletionAPI
	kmsapi.SignAPI
	kmsapi.TagResourceAPI
	kmsapi.UntagResourceAPI
	kmsapi.UpdateAliasAPI
	kmsapi.UpdateKeyDescriptionAPI
	kmsapi.VerifyAPI
	kmsapi.VerifyMacAPI
} = (*Service)(nil)

const (
	customStores = "custom key stores"
	enclaves     = "answers for Nitro enclaves"
)

// Refused lists the parameters whose effect isn't built.
func (s *Service) Refused() []wire.Refusal {
	return []wire.Refusal{
		{Operation: "CreateKey", Member: "CustomKeyStoreId", Reason: customStores},
		{Operation: "CreateKey", Member: "XksKeyId", Reason: customStores},
		{Operation: "CreateKey", Member: "MultiRegion", Reason: "multi-Region keys"},
		{Operation: "GenerateRandom", Member: "CustomKeyStoreId", Reason: customStores},
		{Operation: "Decrypt", Member: "Recipient", Reason: enclaves},
		{Operation: "DeriveSharedSecret", Member: "Recipient", Reason: enclaves},
		{Operation: "GenerateDataKey", Member: "Recipient", Reason: enclaves},
		{Operation: "GenerateDataKeyPair", Member: "Recipient", Reason: enclaves},
		{Operation: "GenerateRandom", Member: "Recipient", Reason: enclaves},
		{Operation: "Decrypt", Member: "DryRunModifiers", Reason: "dry runs without a ciphertext"},
		{Operation: "ReEncrypt", Member: "DryRunModifiers", Reason: "dry runs without a ciphertext"},
	}
}

// WhyNot says why an operation isn't built.
func (s *Service) WhyNot(op *wire.Operation) string {
	switch op.Name {
	case "ReplicateKey", "UpdatePrimaryRegion":
		return "multi-Region keys"
	case "ImportKeyMaterial", "DeleteImportedKeyMaterial", "GetParametersForImport":
		return "imported key material"
	case "GetKeyLastUsage":
		return "there is no CloudTrail to tell when a key was last used"
	}
	return customStores
}

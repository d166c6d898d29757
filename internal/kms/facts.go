package kms

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/butai-dev/butai/internal/api/kmsapi"
)

// keyIDOf is the KeyId of a request, or "".
func keyIDOf(in any) string {
	if in == nil {
		return ""
	}
	f := reflect.ValueOf(in).Elem().FieldByName("KeyId")
	if !f.IsValid() || f.IsNil() {
		return ""
	}
	return f.Elem().String()
}

// factsOf are the condition keys that a request sets.
func factsOf(in any) conditions {
	c := conditions{}
	switch in := in.(type) {
	case *kmsapi.CreateKeyRequest:
		if name, usage, err := kindOf(in); err == nil {
			c["kms:KeySpec"], c["kms:KeyUsage"] = []string{name}, []string{usage}
		}
		c["kms:KeyOrigin"], c["kms:MultiRegion"] = []string{kmsapi.OriginTypeAWSKMS}, []string{"false"}
		c.lockout(in.BypassPolicyLockoutSafetyCheck)
		c.tags(in.Tags)
	case *kmsapi.PutKeyPolicyRequest:
		c.lockout(in.BypassPolicyLockoutSafetyCheck)
	case *kmsapi.TagResourceRequest:
		c.tags(in.Tags)
	case *kmsapi.UntagResourceRequest:
		c["aws:TagKeys"] = in.TagKeys
	case *kmsapi.EncryptRequest:
		c.encryption(in.EncryptionContext)
		c.set("kms:EncryptionAlgorithm", new(algorithmOr(in.EncryptionAlgorithm)))
	case *kmsapi.DecryptRequest:
		c.encryption(in.EncryptionContext)
		c.set("kms:EncryptionAlgorithm", new(algorithmOr(in.EncryptionAlgorithm)))
	case *kmsapi.GenerateDataKeyRequest:
		c.encryption(in.EncryptionContext)
	case *kmsapi.GenerateDataKeyWithoutPlaintextRequest:
		c.encryption(in.EncryptionContext)
	case *kmsapi.GenerateDataKeyPairRequest:
		c.encryption(in.EncryptionContext)
		c.set("kms:DataKeyPairSpec", in.KeyPairSpec)
	case *kmsapi.GenerateDataKeyPairWithoutPlaintextRequest:
		c.encryption(in.EncryptionContext)
		c.set("kms:DataKeyPairSpec", in.KeyPairSpec)
	case *kmsapi.SignRequest:
		c.set("kms:SigningAlgorithm", in.SigningAlgorithm)
		c.set("kms:MessageType", new(messageTypeOf(in.MessageType)))
	case *kmsapi.VerifyRequest:
		c.set("kms:SigningAlgorithm", in.SigningAlgorithm)
		c.set("kms:MessageType", new(messageTypeOf(in.MessageType)))
	case *kmsapi.GenerateMacRequest:
		c.set("kms:MacAlgorithm", in.MacAlgorithm)
	case *kmsapi.VerifyMacRequest:
		c.set("kms:MacAlgorithm", in.MacAlgorithm)
	case *kmsapi.ScheduleKeyDeletionRequest:
		c.number("kms:ScheduleKeyDeletionPendingWindowInDays", in.PendingWindowInDays)
	case *kmsapi.EnableKeyRotationRequest:
		c.number("kms:RotationPeriodInDays", in.RotationPeriodInDays)
	case *kmsapi.CreateGrantRequest:
		c.grant(in)
	}
	return c
}

func (c conditions) lockout(bypass *bool) {
	if bypass != nil {
		c["kms:BypassPolicyLockoutSafetyCheck"] = []string{strconv.FormatBool(*bypass)}
	}
}

func (c conditions) grant(in *kmsapi.CreateGrantRequest) {
	c["kms:GrantOperations"] = slices.Clone(in.Operations)
	c.set("kms:GranteePrincipal", in.GranteePrincipal)
	c.set("kms:RetiringPrincipal", in.RetiringPrincipal)
	c["kms:GrantIsForAWSResource"] = []string{"false"}
	if in.Constraints == nil {
		return
	}
	switch {
	case len(in.Constraints.EncryptionContextEquals) > 0:
		c["kms:GrantConstraintType"] = []string{"EncryptionContextEquals"}
		c.encryption(in.Constraints.EncryptionContextEquals)
	case len(in.Constraints.EncryptionContextSubset) > 0:
		c["kms:GrantConstraintType"] = []string{"EncryptionContextSubset"}
		c.encryption(in.Constraints.EncryptionContextSubset)
	}
}

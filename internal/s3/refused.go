package s3

import "github.com/butai-dev/butai/internal/wire"

// Refused lists the parameters that butai can't honour.
func (*Service) Refused() []wire.Refusal {
	all := []struct {
		reason  string
		members []string
	}{
		{"customer-provided encryption keys aren't built", []string{
			"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5",
			"CopySourceSSECustomerAlgorithm", "CopySourceSSECustomerKey", "CopySourceSSECustomerKeyMD5",
		}},
		{"Object Lock isn't built", []string{
			"ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus", "ObjectLockEnabledForBucket", "BypassGovernanceRetention",
		}},
		{"ACLs can't grant anything to others", []string{"GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP"}},
		{"xxHash checksums aren't built", []string{
			"ChecksumXXHASH64", "ChecksumXXHASH3", "ChecksumXXHASH128",
			"MultipartUpload.Parts.ChecksumXXHASH64", "MultipartUpload.Parts.ChecksumXXHASH3", "MultipartUpload.Parts.ChecksumXXHASH128",
		}},
		{"there are no directory buckets", []string{
			"WriteOffsetBytes", "IfMatchLastModifiedTime", "IfMatchSize", "IfMatchInitiatedTime", "BucketNamespace",
			"CreateBucketConfiguration.Location", "CreateBucketConfiguration.Bucket",
		}},
		{"deletions can't be made conditional key by key", []string{"Delete.Objects.ETag", "Delete.Objects.LastModifiedTime", "Delete.Objects.Size"}},
		{"buckets aren't websites", []string{"WebsiteRedirectLocation"}},
		{"nobody but the owner can pay", []string{"RequestPayer"}},
		{"types of encryption can't be blocked", []string{"ServerSideEncryptionConfiguration.Rules.BlockedEncryptionTypes.EncryptionType"}},
		{"MFA delete isn't built", []string{"MFA"}},
		{"objects are never archived", []string{"OptionalObjectAttributes"}},
		{"this header can't be overridden yet", []string{"ResponseExpires"}},
	}
	var out []wire.Refusal
	for _, group := range all {
		for _, member := range group.members {
			out = append(out, wire.Refusal{Member: member, Reason: group.reason})
		}
	}
	return out
}

package s3

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
)

// conditionKeys are the condition keys that hold a member of the input (Service
// Authorization Reference: Amazon S3).
var conditionKeys = map[string]string{
	"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys", "s3:x-amz-acl": "ACL", "s3:x-amz-copy-source": "CopySource",
	"s3:x-amz-metadata-directive": "MetadataDirective", "s3:x-amz-server-side-encryption": "ServerSideEncryption",
	"s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId", "s3:x-amz-storage-class": "StorageClass",
	"s3:x-amz-object-ownership": "ObjectOwnership", "s3:if-match": "IfMatch", "s3:if-none-match": "IfNoneMatch",
}

// otherConditionKeys are those that are set elsewhere, or never, because no
// request that butai serves has what they tell of.
var otherConditionKeys = []string{
	"s3:resourceaccount", "s3:tlsversion", "s3:versionid", "s3:requestobjecttagkeys", "s3:locationconstraint",
	"s3:accessgrantsinstancearn", "s3:accesspointnetworkorigin", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
	"s3:object-lock-legal-hold", "s3:object-lock-mode", "s3:object-lock-remaining-retention-days", "s3:object-lock-retain-until-date",
	"s3:x-amz-bucket-namespace", "s3:x-amz-grant-full-control", "s3:x-amz-grant-read", "s3:x-amz-grant-read-acp", "s3:x-amz-grant-write",
	"s3:x-amz-grant-write-acp", "s3:x-amz-server-side-encryption-customer-algorithm", "s3:x-amz-website-redirect-location",
}

// unbuiltConditionKeys are S3's other ones. Policies with them are refused.
var unbuiltConditionKeys = []string{
	"s3:authtype", "s3:signatureage", "s3:signatureversion", "s3:x-amz-content-sha256", "s3:objectcreationoperation",
	"s3:inventoryaccessibleoptionalfields",
}

const requestTag = "s3:RequestObjectTag/"

// checkConditionKey refuses the keys of S3's that aren't, and those that butai
// doesn't set. Other services' keys are simply absent, as on AWS.
func checkConditionKey(key string) error {
	name := strings.ToLower(key)
	_, ofInput := conditionKeys[name]
	switch {
	case !strings.HasPrefix(name, "s3:"), ofInput, slices.Contains(otherConditionKeys, name), strings.HasPrefix(name, strings.ToLower(requestTag)):
		return nil
	case slices.Contains(unbuiltConditionKeys, name), strings.HasPrefix(name, "s3:existingobjecttag/"):
		return wire.NotBuilt("bucket policies with the condition key %s", key)
	}
	return malformedPolicy("Policy has an invalid condition key", key)
}

// conditions are the condition keys of a call; in may be nil.
func conditions(in any) map[string][]string {
	out := map[string][]string{}
	if in == nil {
		return out
	}
	for key, name := range conditionKeys {
		if value := member(in, name); value != nil {
			out[key] = []string{*value}
		}
	}
	for _, tag := range requestTags(in) {
		out[requestTag+*tag.Key] = []string{*tag.Value}
		out["s3:RequestObjectTagKeys"] = append(out["s3:RequestObjectTagKeys"], *tag.Key)
	}
	return out
}

// requestTags are the tags that a request gives an object. Wrong ones are
// refused later.
func requestTags(in any) []s3api.Tag {
	if in, ok := in.(*s3api.PutObjectTaggingRequest); ok {
		return in.Tagging.TagSet
	}
	tags, _ := headerTags(member(in, "Tagging"))
	return tags
}

// member returns a string or a number among the members of an input, or nil if
// it has none.
func member(in any, name string) *string {
	f := reflect.ValueOf(in).Elem().FieldByName(name)
	if !f.IsValid() {
		return nil
	}
	switch value := f.Interface().(type) {
	case *string:
		return value
	case *int64:
		if value != nil {
			return wire.Ptr(strconv.FormatInt(*value, 10))
		}
	}
	return nil
}

package terraform

import "github.com/butai-dev/butai/test/harness"

// keysImportID is eventsImportID for the resources of keys.tf.
func keysImportID(r harness.Resource) (id string, special bool) {
	if r.Address == "aws_dynamodb_table.kept" {
		return "", true // its key isn't imported
	}
	switch r.Type {
	case "aws_kms_ciphertext":
		return "", true // nothing of it is on the server
	case "aws_kms_alias":
		return "", true // its key isn't imported
	case "aws_kms_grant", "aws_kms_key_policy", "aws_kms_key":
		// An import knows neither a grant's token and name nor how long a
		// deletion is to wait.
		return "", true
	}
	return "", false
}

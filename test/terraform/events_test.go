package terraform

import "github.com/butai-dev/butai/test/harness"

// eventsImportID is the id by which the provider imports a resource of
// events.tf, "" if it can't; false for the types that have their plain id.
func eventsImportID(r harness.Resource) (id string, special bool) {
	switch r.Type {
	case "aws_lambda_layer_version_permission":
		return r.String("id"), true
	case "aws_lambda_runtime_management_config":
		return r.String("function_name") + ",", true
	}
	return "", false
}

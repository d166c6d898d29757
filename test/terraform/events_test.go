package terraform

import "github.com/butai-dev/butai/test/harness"

// eventsImportID is the id by which the provider imports a resource of
// events.tf or rules.tf, "" if it would replace what it imports; false for the types that
// have their plain id.
func eventsImportID(r harness.Resource) (id string, special bool) {
	switch r.Type {
	case "aws_lambda_layer_version", "aws_lambda_layer_version_permission":
		return "", true // no API returns the path of the zip, which makes a layer another
	case "aws_lambda_runtime_management_config":
		return "", true // an imported qualifier is empty, which is not none
	case "aws_cloudwatch_event_target":
		return r.String("event_bus_name") + "/" + r.String("rule") + "/" + r.String("target_id"), true
	}
	return "", false
}

package dynamodb

import (
	"net/url"
	"reflect"
	"regexp"
	"strings"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/wire"
)

// tableName is the pattern of a table's name. The model cannot hold it, since
// a name may also be an ARN.
var tableName = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)

const (
	maxTableName = 255
	minTableName = 3
)

// ValidateInput checks a request against the model, and the form of the
// table's name.
func (s *Service) ValidateInput(op *wire.Operation, in any) error {
	found := dynamodbapi.Service.Schema.Validate(op.Input, in, nil)
	if f := reflect.ValueOf(in).Elem().FieldByName("TableName"); f.IsValid() && !f.IsNil() {
		found = append(checkTableName(op.Name, f.Elem().String()), found...)
	}
	if len(found) == 0 {
		return nil
	}
	return &wire.Error{Code: "ValidationException", Status: 400, Message: wire.ViolationText(found)}
}

func checkTableName(operation, name string) []wire.Violation {
	if name == "" || strings.HasPrefix(name, "arn:") {
		return nil
	}
	v := wire.Violation{Path: "tableName", Value: name}
	switch {
	case !tableName.MatchString(name):
		v.Rule = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
	case len(name) > maxTableName:
		v.Rule = "Member must have length less than or equal to 255"
	case operation == "CreateTable" && len(name) < minTableName:
		v.Rule = "Member must have length greater than or equal to 3"
	default:
		return nil
	}
	return []wire.Violation{v}
}

var _ wire.Refuser = (*Service)(nil)

// Refused implements wire.Refuser.
func (s *Service) Refused() []wire.Refusal {
	var all []wire.Refusal
	for _, r := range []struct {
		operations []string
		member     string
		reason     string
	}{
		{[]string{"CreateTable", "UpdateTable"}, "OnDemandThroughput", "on-demand tables are not throttled"},
		{[]string{"CreateTable", "UpdateTable"}, "WarmThroughput", "tables need no warming"},
		{[]string{"CreateTable"}, "GlobalSecondaryIndexes.OnDemandThroughput", "on-demand tables are not throttled"},
		{[]string{"CreateTable"}, "GlobalSecondaryIndexes.WarmThroughput", "tables need no warming"},
		{[]string{"UpdateTable"}, "GlobalSecondaryIndexUpdates.Create.OnDemandThroughput", "on-demand tables are not throttled"},
		{[]string{"UpdateTable"}, "GlobalSecondaryIndexUpdates.Create.WarmThroughput", "tables need no warming"},
		{[]string{"UpdateTable"}, "GlobalSecondaryIndexUpdates.Update.OnDemandThroughput", "on-demand tables are not throttled"},
		{[]string{"UpdateTable"}, "GlobalSecondaryIndexUpdates.Update.WarmThroughput", "tables need no warming"},
		{[]string{"CreateTable"}, "ResourcePolicy", "tables have no policies of their own"},
		{[]string{"CreateTable"}, "GlobalTableSourceArn", "there are no global tables"},
		{[]string{"CreateTable", "UpdateTable"}, "GlobalTableSettingsReplicationMode", "there are no global tables"},
		{[]string{"UpdateTable"}, "ReplicaUpdates", "there are no global tables"},
		{[]string{"UpdateTable"}, "MultiRegionConsistency", "there are no global tables"},
		{[]string{"UpdateTable"}, "GlobalTableWitnessUpdates", "there are no global tables"},
		{[]string{"RestoreTableFromBackup", "RestoreTableToPointInTime"}, "OnDemandThroughputOverride", "on-demand tables are not throttled"},
		{[]string{"RestoreTableFromBackup", "RestoreTableToPointInTime"}, "GlobalSecondaryIndexOverride.OnDemandThroughput", "on-demand tables are not throttled"},
		{[]string{"RestoreTableFromBackup", "RestoreTableToPointInTime"}, "GlobalSecondaryIndexOverride.WarmThroughput", "tables need no warming"},
		{[]string{"ListTagsOfResource"}, "NextToken", "a table's tags come on one page"},
	} {
		for _, op := range r.operations {
			all = append(all, wire.Refusal{Operation: op, Member: r.member, Reason: r.reason})
		}
	}
	return all
}

// hostOf returns the host and port of an endpoint's URL.
func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return endpoint
	}
	return u.Host
}

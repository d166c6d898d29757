package dynamodb

import (
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/wire"
)

// Limits of a table's definition (Developer Guide, "Quotas").
const (
	maxLocalIndexes  = 5
	maxGlobalIndexes = 20
	maxNonKey        = 100
	maxKeyName       = 255
)

// definition checks the schema of a table and its indexes together. Indexes
// of a CreateTable and of an UpdateTable have the same shape here.
type definition struct {
	attributes []dynamodbapi.AttributeDefinition
	key        []dynamodbapi.KeySchemaElement
	local      []dynamodbapi.LocalSecondaryIndex
	global     []dynamodbapi.GlobalSecondaryIndex
}

// check refuses what DynamoDB refuses, in its order.
func (d *definition) check() error {
	if err := d.checkKey(d.key); err != nil {
		return err
	}
	names := map[string]bool{}
	if err := d.checkLocal(names); err != nil {
		return err
	}
	if err := d.checkGlobal(names); err != nil {
		return err
	}
	return d.checkUsed()
}

// checkKey checks one key schema.
func (d *definition) checkKey(key []dynamodbapi.KeySchemaElement) error {
	var missing bool
	for _, e := range key {
		if !slices.ContainsFunc(d.attributes, func(a dynamodbapi.AttributeDefinition) bool { return *a.AttributeName == *e.AttributeName }) {
			missing = true
		}
		if len(*e.AttributeName) > maxKeyName {
			return invalidValue("Attribute name of a key must be at most %d bytes long", maxKeyName)
		}
	}
	switch {
	case missing:
		return invalidValue("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]",
			strings.Join(keyNames(key), ", "), strings.Join(d.attributeNames(), ", "))
	case *key[0].KeyType != dynamodbapi.KeyTypeHASH:
		return validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case len(key) > 2 || len(key) == 2 && *key[1].KeyType != dynamodbapi.KeyTypeRANGE:
		return d.refuseWide(key)
	case len(key) == 2 && *key[0].AttributeName == *key[1].AttributeName:
		return validation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	}
	return nil
}

// refuseWide tells key schemas that are wrong from those of several
// attributes a part, which global indexes may have since 2025.
func (d *definition) refuseWide(key []dynamodbapi.KeySchemaElement) error {
	for _, x := range d.global {
		if slices.Equal(keyNames(x.KeySchema), keyNames(key)) {
			return wire.NotBuilt("index keys of several attributes")
		}
	}
	return validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
}

func keyNames(key []dynamodbapi.KeySchemaElement) []string {
	names := make([]string, len(key))
	for i, e := range key {
		names[i] = *e.AttributeName
	}
	return names
}

func (d *definition) attributeNames() []string {
	names := make([]string, len(d.attributes))
	for i, a := range d.attributes {
		names[i] = *a.AttributeName
	}
	return names
}

func (d *definition) checkLocal(names map[string]bool) error {
	if d.local == nil {
		return nil
	}
	switch {
	case len(d.local) == 0:
		return invalidValue("List of LocalSecondaryIndexes is empty")
	case len(d.key) < 2:
		return invalidValue("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	}
	for _, x := range d.local {
		if err := d.checkIndex(*x.IndexName, x.KeySchema, x.Projection, names); err != nil {
			return err
		}
		if len(x.KeySchema) < 2 {
			return invalidValue("Index KeySchema does not have a range key for index: %s", *x.IndexName)
		}
		if ours, its := *d.key[0].AttributeName, *x.KeySchema[0].AttributeName; ours != its {
			return invalidValue("Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. index hash key: %s, table hash key: %s", *x.IndexName, its, ours)
		}
	}
	if len(d.local) > maxLocalIndexes {
		return invalidValue("Number of LocalSecondaryIndexes exceeds per-table limit of %d", maxLocalIndexes)
	}
	return nil
}

func (d *definition) checkGlobal(names map[string]bool) error {
	if d.global == nil {
		return nil
	}
	if len(d.global) == 0 {
		return invalidValue("List of GlobalSecondaryIndexes is empty")
	}
	for _, x := range d.global {
		if err := d.checkIndex(*x.IndexName, x.KeySchema, x.Projection, names); err != nil {
			return err
		}
	}
	if len(d.global) > maxGlobalIndexes {
		return invalidValue("GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobalIndexes)
	}
	return nil
}

func (d *definition) checkIndex(name string, key []dynamodbapi.KeySchemaElement, p *dynamodbapi.Projection, names map[string]bool) error {
	if err := d.checkKey(key); err != nil {
		return err
	}
	if err := checkProjection(p); err != nil {
		return err
	}
	if names[name] {
		return invalidValue("Duplicate index name: %s", name)
	}
	names[name] = true
	return nil
}

func checkProjection(p *dynamodbapi.Projection) error {
	switch kind := wire.Val(p.ProjectionType); {
	case kind == "":
		return invalidValue("Unknown ProjectionType: null")
	case kind != dynamodbapi.ProjectionTypeINCLUDE && p.NonKeyAttributes != nil:
		return invalidValue("ProjectionType is %s, but NonKeyAttributes is specified", kind)
	case kind == dynamodbapi.ProjectionTypeINCLUDE && p.NonKeyAttributes == nil:
		return invalidValue("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	}
	return nil
}

// checkUsed refuses attribute definitions that no key uses, and too many
// projected attributes over all indexes.
func (d *definition) checkUsed() error {
	used := keyNames(d.key)
	nonKey := 0
	for _, x := range d.local {
		used = append(used, keyNames(x.KeySchema)...)
		nonKey += len(x.Projection.NonKeyAttributes)
	}
	for _, x := range d.global {
		used = append(used, keyNames(x.KeySchema)...)
		nonKey += len(x.Projection.NonKeyAttributes)
	}
	if nonKey > maxNonKey {
		return invalidValue("The total number of NonKeyAttributes of all indexes exceeds the limit of %d", maxNonKey)
	}
	slices.Sort(used)
	used = slices.Compact(used)
	for _, name := range d.attributeNames() {
		if slices.Contains(used, name) {
			continue
		}
		if len(d.local)+len(d.global) == 0 {
			return invalidValue("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
		}
		return invalidValue("Some AttributeDefinitions are not used. AttributeDefinitions: [%s], keys used: [%s]",
			strings.Join(d.attributeNames(), ", "), strings.Join(used, ", "))
	}
	return nil
}

// checkBilling fits throughput settings to a billing mode. index is the name
// of the index they are of, or "".
func checkBilling(mode string, p *dynamodbapi.ProvisionedThroughput, index string) error {
	tail := ""
	if index != "" {
		tail = " for index: " + index
	}
	switch {
	case mode == dynamodbapi.BillingModePAYPERREQUEST && p != nil:
		return invalidValue("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST%s", tail)
	case mode != dynamodbapi.BillingModePAYPERREQUEST && p == nil && index != "":
		return invalidValue("ProvisionedThroughput must be specified for index: %s", index)
	case mode != dynamodbapi.BillingModePAYPERREQUEST && p == nil:
		return invalidValue("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	return nil
}

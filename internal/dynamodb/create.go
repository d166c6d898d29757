package dynamodb

import (
	"context"
	"slices"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// What an on-demand table can take at once (observed in DescribeTable answers).
const (
	warmReads  = 12000
	warmWrites = 4000
)

// idLength is the length of the ids under which tables and indexes file their
// data.
const idLength = 12

// CreateTable makes a table. It is ready before the answer leaves, though the
// answer says CREATING as AWS's does.
func (s *Service) CreateTable(ctx context.Context, in *dynamodbapi.CreateTableInput) (*dynamodbapi.CreateTableOutput, error) {
	key, err := resolve(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	if err := checkCreate(in); err != nil {
		return nil, err
	}
	tags, err := tagMap(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now().Truncate(time.Millisecond)
	r := newRecord(key, in, now)
	r.Tags = tags
	sealed, err := s.seal(ctx, key, in.SSESpecification)
	if err != nil {
		return nil, err
	}
	r.setSealing(sealed)
	err = s.store.Update(ctx, func(tx store.Tx) error {
		r.Generation = 0
		old, err := s.load(tx, key)
		if err != nil {
			return err
		}
		if old != nil {
			return inUse("Table already exists: %s", key.name)
		}
		r.Description.StreamSpecification = nil
		if err := r.enableStream(tx, in.StreamSpecification, now); err != nil {
			return err
		}
		return s.save(tx, r)
	})
	if err != nil {
		s.unseal(ctx, sealed)
		return nil, err
	}
	s.tables.Delete(key)
	d := r.Description
	d.TableStatus = wire.Ptr(dynamodbapi.TableStatusCREATING)
	return &dynamodbapi.CreateTableOutput{TableDescription: complete(d, &tableSizes{})}, nil
}

func checkCreate(in *dynamodbapi.CreateTableInput) error {
	mode := wire.Val(in.BillingMode)
	if err := checkBilling(mode, in.ProvisionedThroughput, ""); err != nil {
		return err
	}
	d := definition{attributes: in.AttributeDefinitions, key: in.KeySchema, local: in.LocalSecondaryIndexes, global: in.GlobalSecondaryIndexes}
	if err := d.check(); err != nil {
		return err
	}
	for _, x := range in.GlobalSecondaryIndexes {
		if err := checkBilling(mode, x.ProvisionedThroughput, *x.IndexName); err != nil {
			return err
		}
	}
	return nil
}

func newRecord(key tableKey, in *dynamodbapi.CreateTableInput, now time.Time) *tableRecord {
	mode := wire.Val(in.BillingMode)
	r := &tableRecord{ID: ident.Lower(idLength), Account: key.account, Region: key.region, IndexIDs: map[string]string{}}
	r.Description = dynamodbapi.TableDescription{
		AttributeDefinitions: in.AttributeDefinitions, TableName: &key.name, KeySchema: in.KeySchema,
		TableStatus: wire.Ptr(dynamodbapi.TableStatusACTIVE), CreationDateTime: &now, TableArn: wire.Ptr(key.arn()),
		TableId: wire.Ptr(ident.UUID()), ProvisionedThroughput: throughput(in.ProvisionedThroughput),
		DeletionProtectionEnabled: wire.Ptr(wire.Val(in.DeletionProtectionEnabled)),
	}
	d := &r.Description
	if mode == dynamodbapi.BillingModePAYPERREQUEST {
		d.BillingModeSummary = &dynamodbapi.BillingModeSummary{BillingMode: &mode, LastUpdateToPayPerRequestDateTime: &now}
	}
	if in.TableClass != nil {
		d.TableClassSummary = &dynamodbapi.TableClassSummary{TableClass: in.TableClass}
	}
	for _, x := range in.LocalSecondaryIndexes {
		r.IndexIDs[*x.IndexName] = ident.Lower(idLength)
		d.LocalSecondaryIndexes = append(d.LocalSecondaryIndexes, dynamodbapi.LocalSecondaryIndexDescription{
			IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection,
			IndexArn: wire.Ptr(key.arn() + "/index/" + *x.IndexName)})
	}
	for _, x := range in.GlobalSecondaryIndexes {
		r.addGlobal(x, dynamodbapi.IndexStatusACTIVE)
	}
	return r
}

// addGlobal adds a global index to the definition.
func (r *tableRecord) addGlobal(x dynamodbapi.GlobalSecondaryIndex, status string) {
	r.IndexIDs[*x.IndexName] = ident.Lower(idLength)
	d := dynamodbapi.GlobalSecondaryIndexDescription{
		IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection, IndexStatus: &status,
		ProvisionedThroughput: throughput(x.ProvisionedThroughput), IndexArn: wire.Ptr(r.key().arn() + "/index/" + *x.IndexName)}
	if status == dynamodbapi.IndexStatusCREATING {
		d.Backfilling = wire.Ptr(true)
	}
	r.Description.GlobalSecondaryIndexes = append(r.Description.GlobalSecondaryIndexes, d)
}

// throughput describes provisioned throughput; zeros for none (on-demand).
func throughput(p *dynamodbapi.ProvisionedThroughput) *dynamodbapi.ProvisionedThroughputDescription {
	d := &dynamodbapi.ProvisionedThroughputDescription{NumberOfDecreasesToday: wire.Ptr(int64(0)), ReadCapacityUnits: wire.Ptr(int64(0)), WriteCapacityUnits: wire.Ptr(int64(0))}
	if p != nil {
		d.ReadCapacityUnits, d.WriteCapacityUnits = p.ReadCapacityUnits, p.WriteCapacityUnits
	}
	return d
}

// complete fills in what a description does not store: sizes, and the warm
// throughput that follows from the billing mode.
func complete(d dynamodbapi.TableDescription, n *tableSizes) *dynamodbapi.TableDescription {
	d.TableSizeBytes, d.ItemCount = &n.table.size, &n.table.count
	reads, writes := warm(d.BillingModeSummary, d.ProvisionedThroughput)
	d.WarmThroughput = &dynamodbapi.TableWarmThroughputDescription{ReadUnitsPerSecond: &reads, WriteUnitsPerSecond: &writes, Status: wire.Ptr("ACTIVE")}
	d.LocalSecondaryIndexes = slices.Clone(d.LocalSecondaryIndexes)
	for i := range d.LocalSecondaryIndexes {
		x := &d.LocalSecondaryIndexes[i]
		held := n.indexes[*x.IndexName]
		x.IndexSizeBytes, x.ItemCount = &held.size, &held.count
	}
	d.GlobalSecondaryIndexes = slices.Clone(d.GlobalSecondaryIndexes)
	for i := range d.GlobalSecondaryIndexes {
		x := &d.GlobalSecondaryIndexes[i]
		held := n.indexes[*x.IndexName]
		x.IndexSizeBytes, x.ItemCount = &held.size, &held.count
		reads, writes := warm(d.BillingModeSummary, x.ProvisionedThroughput)
		x.WarmThroughput = &dynamodbapi.GlobalSecondaryIndexWarmThroughputDescription{ReadUnitsPerSecond: &reads, WriteUnitsPerSecond: &writes, Status: wire.Ptr("ACTIVE")}
	}
	return &d
}

func warm(mode *dynamodbapi.BillingModeSummary, p *dynamodbapi.ProvisionedThroughputDescription) (reads, writes int64) {
	if mode != nil && *mode.BillingMode == dynamodbapi.BillingModePAYPERREQUEST {
		return warmReads, warmWrites
	}
	return *p.ReadCapacityUnits, *p.WriteCapacityUnits
}

package dynamodb

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// restoration is a table to be made of a backup, or of a table as it was.
type restoration struct {
	target *string
	from   *backupRecord
	copy   copyRecord
	// summary is what the new table says of where it comes from.
	summary dynamodbapi.RestoreSummary

	mode       *string
	throughput *dynamodbapi.ProvisionedThroughput
	local      []dynamodbapi.LocalSecondaryIndex
	global     []dynamodbapi.GlobalSecondaryIndex
	encryption *dynamodbapi.SSESpecification
}

// RestoreTableFromBackup makes a table of a backup. It can be used once its
// status is ACTIVE.
func (s *Service) RestoreTableFromBackup(ctx context.Context, in *dynamodbapi.RestoreTableFromBackupInput) (*dynamodbapi.RestoreTableFromBackupOutput, error) {
	now := s.clock.Now().Truncate(time.Millisecond)
	r := &restoration{
		target: in.TargetTableName, mode: in.BillingModeOverride, throughput: in.ProvisionedThroughputOverride,
		local: in.LocalSecondaryIndexOverride, global: in.GlobalSecondaryIndexOverride, encryption: in.SSESpecificationOverride,
	}
	d, err := s.restore(ctx, r, now, func(tx store.ReadTx) (err error) {
		if r.from, err = s.backup(ctx, tx, *in.BackupArn); err != nil {
			return err
		}
		if r.from.Copy != nil {
			return &dynamodbapi.BackupInUseException{Message: wire.Ptr("Backup is being created: " + *in.BackupArn)}
		}
		r.copy = copyRecord{From: r.from.ID}
		r.summary = dynamodbapi.RestoreSummary{SourceBackupArn: in.BackupArn, SourceTableArn: r.from.Source.TableArn, RestoreDateTime: r.from.Details.BackupCreationDateTime}
		return nil
	})
	return &dynamodbapi.RestoreTableFromBackupOutput{TableDescription: d}, err
}

// RestoreTableToPointInTime makes a table of another as it was at a moment.
func (s *Service) RestoreTableToPointInTime(ctx context.Context, in *dynamodbapi.RestoreTableToPointInTimeInput) (*dynamodbapi.RestoreTableToPointInTimeOutput, error) {
	now := s.clock.Now()
	latest := wire.Val(in.UseLatestRestorableTime)
	source := in.SourceTableName
	switch {
	case (in.SourceTableName == nil) == (in.SourceTableArn == nil):
		return nil, validation("Exactly one of SourceTableName and SourceTableArn must be specified")
	case latest == (in.RestoreDateTime != nil):
		return nil, validation("Exactly one of RestoreDateTime and UseLatestRestorableTime must be specified")
	case source == nil:
		source = in.SourceTableArn
	}
	key, err := resolve(ctx, source)
	if err != nil {
		return nil, err
	}
	r := &restoration{
		target: in.TargetTableName, mode: in.BillingModeOverride, throughput: in.ProvisionedThroughputOverride,
		local: in.LocalSecondaryIndexOverride, global: in.GlobalSecondaryIndexOverride, encryption: in.SSESpecificationOverride,
	}
	d, err := s.restore(ctx, r, now.Truncate(time.Millisecond), func(tx store.ReadTx) error {
		t, err := s.load(tx, key)
		switch {
		case err != nil:
			return err
		case t == nil:
			return &dynamodbapi.TableNotFoundException{Message: wire.Ptr("Table not found: " + key.name)}
		case t.Copy != nil:
			return &dynamodbapi.TableInUseException{Message: wire.Ptr("Table is being created: " + key.name)}
		case !t.recoverable():
			return &dynamodbapi.PointInTimeRecoveryUnavailableException{
				Message: wire.Ptr(fmt.Sprintf("Point in time recovery is not enabled for table '%s'", key.name))}
		}
		moment := now
		if !latest {
			earliest, _ := t.History.window(now)
			if moment = *in.RestoreDateTime; moment.Before(earliest) || moment.After(now) {
				return &dynamodbapi.InvalidRestoreTimeException{
					Message: wire.Ptr("RestoreDateTime must be between EarliestRestorableDateTime and LatestRestorableDateTime")}
			}
		}
		r.from = t.newBackup("", "", "", now)
		r.copy = copyRecord{From: t.ID, Feed: t.History.Feed, At: moment}
		r.summary = dynamodbapi.RestoreSummary{SourceTableArn: t.Description.TableArn, RestoreDateTime: &moment}
		return nil
	})
	return &dynamodbapi.RestoreTableToPointInTimeOutput{TableDescription: d}, err
}

// restore makes the table; find reads what it is made of, in the transaction.
// The items are brought by Run.
func (s *Service) restore(ctx context.Context, r *restoration, now time.Time, find func(store.ReadTx) error) (*dynamodbapi.TableDescription, error) {
	key, err := resolve(ctx, r.target)
	if err != nil {
		return nil, err
	}
	// Keys are looked up outside of the transaction, which may run again.
	if err := s.store.View(ctx, find); err != nil {
		return nil, err
	}
	spec := r.encryption
	if spec == nil {
		spec = r.from.encryption()
	}
	sealed, err := s.seal(ctx, key, spec)
	if err != nil {
		return nil, err
	}
	var made *tableRecord
	err = s.store.Update(ctx, func(tx store.Tx) error {
		if err := find(tx); err != nil {
			return err
		}
		in, err := r.definition()
		if err != nil {
			return err
		}
		if old, err := s.load(tx, key); err != nil || old != nil {
			if err == nil {
				err = &dynamodbapi.TableAlreadyExistsException{Message: wire.Ptr("Table already exists: " + key.name)}
			}
			return err
		}
		made = newRecord(key, in, now)
		made.Copy = &r.copy
		d := &made.Description
		r.summary.RestoreInProgress = wire.Ptr(true)
		d.TableStatus, d.RestoreSummary = wire.Ptr(dynamodbapi.TableStatusCREATING), &r.summary
		made.setSealing(sealed)
		return s.save(tx, made)
	})
	if err != nil {
		s.unseal(ctx, sealed)
		return nil, err
	}
	s.tables.Delete(key)
	s.wake()
	return complete(made.Description, &tableSizes{}), nil
}

// encryption asks for what the source has.
func (b *backupRecord) encryption() *dynamodbapi.SSESpecification {
	d := b.Features.SSEDescription
	if d == nil {
		return nil
	}
	return &dynamodbapi.SSESpecification{Enabled: wire.Ptr(true), SSEType: d.SSEType, KMSMasterKeyId: d.KMSMasterKeyArn}
}

// definition is the table that the source had, with what the request
// overrides.
func (r *restoration) definition() (*dynamodbapi.CreateTableInput, error) {
	b := r.from
	in := &dynamodbapi.CreateTableInput{
		TableName: r.target, KeySchema: b.Source.KeySchema, TableClass: b.TableClass, BillingMode: b.Source.BillingMode,
		LocalSecondaryIndexes: b.locals(), GlobalSecondaryIndexes: b.globals(), ProvisionedThroughput: b.Source.ProvisionedThroughput,
	}
	if r.local != nil {
		if err := overridden(r.local, in.LocalSecondaryIndexes, "LocalSecondaryIndexOverride", equalLocal); err != nil {
			return nil, err
		}
		in.LocalSecondaryIndexes = orNil(r.local)
	}
	if r.global != nil {
		if err := overridden(r.global, in.GlobalSecondaryIndexes, "GlobalSecondaryIndexOverride", equalGlobal); err != nil {
			return nil, err
		}
		in.GlobalSecondaryIndexes = orNil(r.global)
	}
	if r.mode != nil {
		in.BillingMode = r.mode
	}
	if r.throughput != nil {
		in.ProvisionedThroughput = r.throughput
	}
	if *in.BillingMode == dynamodbapi.BillingModePAYPERREQUEST {
		in.ProvisionedThroughput = r.throughput // nil, or it is refused
		for i := range in.GlobalSecondaryIndexes {
			if r.global == nil {
				in.GlobalSecondaryIndexes[i].ProvisionedThroughput = nil
			}
		}
	}
	for _, a := range b.Attributes {
		if keyOf(in, *a.AttributeName) {
			in.AttributeDefinitions = append(in.AttributeDefinitions, a)
		}
	}
	return in, checkCreate(in)
}

// orNil is nil for an empty list, which asks for no index.
func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// overridden checks that only indexes of the source are asked for.
func overridden[T any](asked, source []T, member string, equal func(a, b *T) bool) error {
	for _, x := range asked {
		if !slices.ContainsFunc(source, func(y T) bool { return equal(&x, &y) }) {
			return invalidValue("%s: an index isn't one of the source's", member)
		}
	}
	return nil
}

func equalLocal(a, b *dynamodbapi.LocalSecondaryIndex) bool {
	return *a.IndexName == *b.IndexName && reflect.DeepEqual(a.KeySchema, b.KeySchema) && reflect.DeepEqual(a.Projection, b.Projection)
}

// equalGlobal leaves out the throughput, which a restoration may set anew.
func equalGlobal(a, b *dynamodbapi.GlobalSecondaryIndex) bool {
	return *a.IndexName == *b.IndexName && reflect.DeepEqual(a.KeySchema, b.KeySchema) && reflect.DeepEqual(a.Projection, b.Projection)
}

func (b *backupRecord) locals() []dynamodbapi.LocalSecondaryIndex {
	var all []dynamodbapi.LocalSecondaryIndex
	for _, x := range b.Features.LocalSecondaryIndexes {
		all = append(all, dynamodbapi.LocalSecondaryIndex(x))
	}
	return all
}

func (b *backupRecord) globals() []dynamodbapi.GlobalSecondaryIndex {
	var all []dynamodbapi.GlobalSecondaryIndex
	for _, x := range b.Features.GlobalSecondaryIndexes {
		all = append(all, dynamodbapi.GlobalSecondaryIndex{IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection, ProvisionedThroughput: x.ProvisionedThroughput})
	}
	return all
}

// keyOf reports whether an attribute is part of a key of the table or of an
// index.
func keyOf(in *dynamodbapi.CreateTableInput, name string) bool {
	all := [][]dynamodbapi.KeySchemaElement{in.KeySchema}
	for _, x := range in.LocalSecondaryIndexes {
		all = append(all, x.KeySchema)
	}
	for _, x := range in.GlobalSecondaryIndexes {
		all = append(all, x.KeySchema)
	}
	return slices.ContainsFunc(slices.Concat(all...), func(e dynamodbapi.KeySchemaElement) bool { return *e.AttributeName == name })
}

package dynamodb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/keys"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// backupRecord is a backup. Its items are filed under ID, as a table's are.
type backupRecord struct {
	ID              string
	Account, Region string
	Backup          string // the last part of its ARN: when, and a random one
	Details         dynamodbapi.BackupDetails
	Source          dynamodbapi.SourceTableDetails
	Features        dynamodbapi.SourceTableFeatureDetails
	Attributes      []dynamodbapi.AttributeDefinition // of the keys of table and indexes
	TableClass      *string                           `json:",omitzero"`
	Copy            *copyRecord                       `json:",omitzero"` // until it is whole
}

// backups are found by account, region and the last part of their ARN, which
// begins with their time.
var backups = record.New[backupRecord]("dynamodb", "backup")

// systemBackupLife is how long the backup is kept that deleting a table with
// point-in-time recovery leaves (Developer Guide, "Point-in-time recovery").
const systemBackupLife = 35 * 24 * time.Hour

// newBackup describes a backup of a table that begins now.
func (r *tableRecord) newBackup(id, name, kind string, now time.Time) *backupRecord {
	d := &r.Description
	last := fmt.Sprintf("%014d-%s", now.UnixMilli(), ident.Hex(4))
	b := &backupRecord{
		ID: id, Account: r.Account, Region: r.Region, Backup: last, Attributes: d.AttributeDefinitions,
		Details: dynamodbapi.BackupDetails{
			BackupArn: wire.Ptr(*d.TableArn + "/backup/" + last), BackupName: &name, BackupType: &kind, BackupCreationDateTime: &now,
			BackupStatus: wire.Ptr(dynamodbapi.BackupStatusCREATING), BackupSizeBytes: wire.Ptr(int64(0)),
		},
		Source: dynamodbapi.SourceTableDetails{
			TableName: d.TableName, TableId: d.TableId, TableArn: d.TableArn, KeySchema: d.KeySchema, TableCreationDateTime: d.CreationDateTime,
			ProvisionedThroughput: given(d.ProvisionedThroughput), BillingMode: wire.Ptr(r.billingMode()),
		},
		Features: dynamodbapi.SourceTableFeatureDetails{StreamDescription: d.StreamSpecification, SSEDescription: d.SSEDescription},
	}
	if d.TableClassSummary != nil {
		b.TableClass = d.TableClassSummary.TableClass
	}
	for _, x := range d.LocalSecondaryIndexes {
		b.Features.LocalSecondaryIndexes = append(b.Features.LocalSecondaryIndexes,
			dynamodbapi.LocalSecondaryIndexInfo{IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection})
	}
	for _, x := range d.GlobalSecondaryIndexes {
		b.Features.GlobalSecondaryIndexes = append(b.Features.GlobalSecondaryIndexes, dynamodbapi.GlobalSecondaryIndexInfo{
			IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection, ProvisionedThroughput: given(x.ProvisionedThroughput)})
	}
	if r.TTL != nil {
		b.Features.TimeToLiveDescription = r.TTL.describe()
	}
	return b
}

// given is the throughput that a description tells of.
func given(p *dynamodbapi.ProvisionedThroughputDescription) *dynamodbapi.ProvisionedThroughput {
	return &dynamodbapi.ProvisionedThroughput{ReadCapacityUnits: p.ReadCapacityUnits, WriteCapacityUnits: p.WriteCapacityUnits}
}

func (b *backupRecord) save(tx store.Tx) error {
	return backups.Put(tx, b, b.Account, b.Region, b.Backup)
}

// table is where the backup's items are.
func (b *backupRecord) table() *table {
	t := &table{id: b.ID, kinds: map[string]attr.Kind{}}
	for _, a := range b.Attributes {
		t.kinds[*a.AttributeName] = attr.ParseKind(*a.AttributeType)
	}
	t.schema = t.keySchema(b.Source.KeySchema)
	return t
}

// CreateBackup keeps a table as it is now. The answer is there before the
// items are copied; the backup is of the moment all the same.
func (s *Service) CreateBackup(ctx context.Context, in *dynamodbapi.CreateBackupInput) (*dynamodbapi.CreateBackupOutput, error) {
	now := s.clock.Now().Truncate(time.Millisecond)
	id := ident.Lower(idLength)
	var b *backupRecord
	_, err := s.change(ctx, in.TableName, func(tx store.Tx, r *tableRecord) error {
		r.remember(now)
		b = r.newBackup(id, *in.BackupName, dynamodbapi.BackupTypeUSER, now)
		b.Copy = &copyRecord{From: r.ID, Feed: r.History.Feed}
		if err := appendPast(tx, r.History.Feed, &past{At: now, Mark: id}); err != nil {
			return err
		}
		return b.save(tx)
	})
	if err != nil {
		return nil, noSource(in.TableName, err)
	}
	s.wake()
	return &dynamodbapi.CreateBackupOutput{BackupDetails: &b.Details}, nil
}

// clear removes what was in a deleted table. With point-in-time recovery its
// items stay as a backup (Developer Guide, "Point-in-time recovery").
func (r *tableRecord) clear(tx store.Tx, now time.Time) error {
	recoverable := r.recoverable()
	if err := r.forget(tx); err != nil {
		return err
	}
	if !recoverable {
		return tx.DeleteRange(tableRange(r.ID))
	}
	b := r.newBackup(r.ID, *r.Description.TableName+"$DeletedTableBackup", dynamodbapi.BackupTypeSYSTEM, now.Truncate(time.Millisecond))
	b.Copy = &copyRecord{From: r.ID} // its items are there, but not counted yet
	b.Details.BackupExpiryDateTime = wire.Ptr(b.Details.BackupCreationDateTime.Add(systemBackupLife))
	if err := b.save(tx); err != nil {
		return err
	}
	if err := tx.Delete(generationKey(r.ID)); err != nil {
		return err
	}
	for _, part := range []string{partIndex, partExpiry} {
		if err := tx.DeleteRange(keys.Prefix(space, r.ID, part)); err != nil {
			return err
		}
	}
	return nil
}

// fillBackup brings a backup to its items.
func (s *Service) fillBackup(ctx context.Context, b *backupRecord) error {
	if b.Copy.From != b.ID {
		if err := s.fill(ctx, b.table(), b.Copy); err != nil {
			return err
		}
	}
	return s.completeBackup(ctx, b)
}

// completeBackup counts a backup's items and makes it available.
func (s *Service) completeBackup(ctx context.Context, b *backupRecord) error {
	var held extent
	err := s.store.View(ctx, func(tx store.ReadTx) (err error) {
		held, err = count(tx, b.table().root(nil))
		return err
	})
	if err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx store.Tx) error {
		b, err := backups.Get(tx, b.Account, b.Region, b.Backup)
		if err != nil || b == nil {
			return err
		}
		b.Copy = nil
		b.Details.BackupStatus, b.Details.BackupSizeBytes = wire.Ptr(dynamodbapi.BackupStatusAVAILABLE), &held.size
		b.Source.TableSizeBytes, b.Source.ItemCount = &held.size, &held.count
		return b.save(tx)
	})
}

// noBackup says that there is none of that ARN.
func noBackup(backupARN string) error {
	return &dynamodbapi.BackupNotFoundException{Message: wire.Ptr("Backup not found: " + backupARN)}
}

// backup reads the caller's backup of an ARN.
func (s *Service) backup(ctx context.Context, tx store.ReadTx, backupARN string) (*backupRecord, error) {
	c := wire.CallerFrom(ctx)
	a, err := arn.Parse(backupARN)
	_, last, ok := strings.Cut(a.Resource, "/backup/")
	if err != nil || !ok || a.Service != "dynamodb" {
		return nil, validation("Invalid BackupArn: Invalid ResourceArn provided as input %s", backupARN)
	}
	if a.Account != c.Account || a.Region != c.Region {
		return nil, noBackup(backupARN)
	}
	b, err := backups.Get(tx, a.Account, a.Region, last)
	if err == nil && (b == nil || *b.Details.BackupArn != backupARN) {
		err = noBackup(backupARN)
	}
	return b, err
}

func (b *backupRecord) description() *dynamodbapi.BackupDescription {
	return &dynamodbapi.BackupDescription{BackupDetails: &b.Details, SourceTableDetails: &b.Source, SourceTableFeatureDetails: &b.Features}
}

// DescribeBackup returns a backup and what its table was like.
func (s *Service) DescribeBackup(ctx context.Context, in *dynamodbapi.DescribeBackupInput) (*dynamodbapi.DescribeBackupOutput, error) {
	var b *backupRecord
	err := s.store.View(ctx, func(tx store.ReadTx) (err error) {
		b, err = s.backup(ctx, tx, *in.BackupArn)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &dynamodbapi.DescribeBackupOutput{BackupDescription: b.description()}, nil
}

// DeleteBackup removes a backup that is whole and that no table is being
// restored from.
func (s *Service) DeleteBackup(ctx context.Context, in *dynamodbapi.DeleteBackupInput) (*dynamodbapi.DeleteBackupOutput, error) {
	var b *backupRecord
	err := s.store.Update(ctx, func(tx store.Tx) (err error) {
		if b, err = s.backup(ctx, tx, *in.BackupArn); err != nil {
			return err
		}
		needed, err := s.source(tx, b.ID)
		if err != nil {
			return err
		}
		if needed || b.Copy != nil {
			return &dynamodbapi.BackupInUseException{Message: wire.Ptr("Backup is being created or restored from: " + *in.BackupArn)}
		}
		return b.delete(tx)
	})
	if err != nil {
		return nil, err
	}
	b.Details.BackupStatus = wire.Ptr(dynamodbapi.BackupStatusDELETED)
	return &dynamodbapi.DeleteBackupOutput{BackupDescription: b.description()}, nil
}

func (b *backupRecord) delete(tx store.Tx) error {
	if err := backups.Delete(tx, b.Account, b.Region, b.Backup); err != nil {
		return err
	}
	return tx.DeleteRange(tableRange(b.ID))
}

// expireBackups deletes the backups whose time is over.
func (s *Service) expireBackups(ctx context.Context) error {
	now := s.clock.Now()
	var over []*backupRecord
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		for b, err := range backups.All(tx) {
			if err != nil {
				return err
			}
			if end := b.Details.BackupExpiryDateTime; end != nil && end.Before(now) {
				over = append(over, b)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, b := range over {
		err := s.store.Update(ctx, func(tx store.Tx) error {
			if needed, err := s.source(tx, b.ID); err != nil || needed {
				return err
			}
			return b.delete(tx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ListBackups lists the backups of the account, or of a table, by their time.
func (s *Service) ListBackups(ctx context.Context, in *dynamodbapi.ListBackupsInput) (*dynamodbapi.ListBackupsOutput, error) {
	const page = 100
	limit := page
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	table, err := listedTable(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	after := ""
	if in.ExclusiveStartBackupArn != nil {
		_, last, ok := strings.Cut(*in.ExclusiveStartBackupArn, "/backup/")
		if !ok {
			return nil, validation("Invalid ExclusiveStartBackupArn: Invalid ResourceArn provided as input %s", *in.ExclusiveStartBackupArn)
		}
		after = last
	}
	c := wire.CallerFrom(ctx)
	out := &dynamodbapi.ListBackupsOutput{BackupSummaries: []dynamodbapi.BackupSummary{}}
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		all := backups.All(tx, c.Account, c.Region)
		if after != "" {
			all = backups.After(tx, after, c.Account, c.Region)
		}
		for b, err := range all {
			switch {
			case err != nil:
				return err
			case !b.listed(in, table):
			case len(out.BackupSummaries) == limit:
				out.LastEvaluatedBackupArn = out.BackupSummaries[limit-1].BackupArn
				return nil
			default:
				out.BackupSummaries = append(out.BackupSummaries, b.summary())
			}
		}
		return nil
	})
	return out, err
}

// listedTable is the name of the table that a list is limited to; "" for all.
func listedTable(ctx context.Context, nameOrARN *string) (string, error) {
	if nameOrARN == nil {
		return "", nil
	}
	key, err := resolve(ctx, nameOrARN)
	return key.name, err
}

// listed reports whether a list includes b. The upper bound of time doesn't
// belong to the range (API Reference, ListBackups).
func (b *backupRecord) listed(in *dynamodbapi.ListBackupsInput, table string) bool {
	made := *b.Details.BackupCreationDateTime
	kind := wire.Val(in.BackupType)
	return (table == "" || *b.Source.TableName == table) &&
		(in.TimeRangeLowerBound == nil || !made.Before(*in.TimeRangeLowerBound)) &&
		(in.TimeRangeUpperBound == nil || made.Before(*in.TimeRangeUpperBound)) &&
		(kind == "" || kind == dynamodbapi.BackupTypeFilterALL || kind == *b.Details.BackupType)
}

func (b *backupRecord) summary() dynamodbapi.BackupSummary {
	d := &b.Details
	return dynamodbapi.BackupSummary{
		TableName: b.Source.TableName, TableId: b.Source.TableId, TableArn: b.Source.TableArn, BackupArn: d.BackupArn, BackupName: d.BackupName,
		BackupCreationDateTime: d.BackupCreationDateTime, BackupExpiryDateTime: d.BackupExpiryDateTime, BackupStatus: d.BackupStatus,
		BackupType: d.BackupType, BackupSizeBytes: d.BackupSizeBytes,
	}
}

var _ interface {
	dynamodbapi.CreateBackupAPI
	dynamodbapi.DeleteBackupAPI
	dynamodbapi.DescribeBackupAPI
	dynamodbapi.ListBackupsAPI
	dynamodbapi.DescribeContinuousBackupsAPI
	dynamodbapi.UpdateContinuousBackupsAPI
	dynamodbapi.RestoreTableFromBackupAPI
	dynamodbapi.RestoreTableToPointInTimeAPI
} = (*Service)(nil)

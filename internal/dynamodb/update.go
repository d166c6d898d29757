package dynamodb

import (
	"context"
	"slices"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// UpdateTable changes a table's billing, throughput, class, protection or one
// of its global indexes. New indexes are filled by Run; they are CREATING
// until that is done.
func (s *Service) UpdateTable(ctx context.Context, in *dynamodbapi.UpdateTableInput) (*dynamodbapi.UpdateTableOutput, error) {
	if err := checkUpdateTable(in); err != nil {
		return nil, err
	}
	key, err := resolve(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	sealed, err := s.seal(ctx, key, in.SSESpecification)
	if err != nil {
		return nil, err
	}
	was := sealing{}
	now := s.clock.Now().Truncate(time.Millisecond)
	r, err := s.change(ctx, in.TableName, func(tx store.Tx, r *tableRecord) error {
		if err := r.updateBilling(in, now); err != nil {
			return err
		}
		if in.DeletionProtectionEnabled != nil {
			r.Description.DeletionProtectionEnabled = in.DeletionProtectionEnabled
		}
		if in.SSESpecification != nil {
			was = r.sealing()
			r.setSealing(sealed)
		}
		if in.TableClass != nil {
			r.Description.TableClassSummary = &dynamodbapi.TableClassSummary{TableClass: in.TableClass, LastUpdateDateTime: &now}
		}
		if err := r.enableStream(tx, in.StreamSpecification, now); err != nil {
			return err
		}
		return r.updateIndexes(tx, in)
	})
	if err != nil {
		s.unseal(ctx, sealed)
		return nil, err
	}
	s.unseal(ctx, was)
	s.wake()
	sizes, err := s.sizes(ctx, compile(r))
	if err != nil {
		return nil, err
	}
	d := r.Description
	d.TableStatus = wire.Ptr(dynamodbapi.TableStatusUPDATING)
	if in.SSESpecification != nil {
		changing := dynamodbapi.SSEDescription{}
		if sealed.description != nil {
			changing = *sealed.description
		}
		changing.Status = wire.Ptr(dynamodbapi.SSEStatusUPDATING)
		d.SSEDescription = &changing
	}
	return &dynamodbapi.UpdateTableOutput{TableDescription: complete(d, sizes)}, nil
}

func checkUpdateTable(in *dynamodbapi.UpdateTableInput) error {
	if in.BillingMode == nil && in.ProvisionedThroughput == nil && in.GlobalSecondaryIndexUpdates == nil &&
		in.DeletionProtectionEnabled == nil && in.TableClass == nil && in.StreamSpecification == nil && in.SSESpecification == nil {
		return validation("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	online := 0
	for _, u := range in.GlobalSecondaryIndexUpdates {
		given := 0
		for _, present := range []bool{u.Create != nil, u.Update != nil, u.Delete != nil} {
			if present {
				given++
			}
		}
		if given != 1 {
			return invalidValue("One of GlobalSecondaryIndexUpdate: {Create, Update, Delete} must be specified")
		}
		if u.Update == nil {
			online++
		}
	}
	if online > 1 {
		return limitExceeded("Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	}
	return nil
}

func (r *tableRecord) billingMode() string {
	if m := r.Description.BillingModeSummary; m != nil {
		return *m.BillingMode
	}
	return dynamodbapi.BillingModePROVISIONED
}

// updateBilling applies billing mode and throughput.
func (r *tableRecord) updateBilling(in *dynamodbapi.UpdateTableInput, now time.Time) error {
	d := &r.Description
	current := r.billingMode()
	mode := current
	if in.BillingMode != nil {
		mode = *in.BillingMode
	}
	switch {
	case mode == dynamodbapi.BillingModePAYPERREQUEST && in.ProvisionedThroughput != nil,
		mode != current && mode == dynamodbapi.BillingModePROVISIONED && in.ProvisionedThroughput == nil:
		return checkBilling(mode, in.ProvisionedThroughput, "")
	case mode != current:
		r.switchMode(mode, now)
	}
	if in.ProvisionedThroughput == nil {
		return nil
	}
	p := in.ProvisionedThroughput
	old := d.ProvisionedThroughput
	if mode == current && *old.ReadCapacityUnits == *p.ReadCapacityUnits && *old.WriteCapacityUnits == *p.WriteCapacityUnits {
		return validation("The provisioned throughput for the table will not change. The requested value equals the current value. "+
			"Current ReadCapacityUnits provisioned for the table: %d. Requested ReadCapacityUnits: %d. "+
			"Current WriteCapacityUnits provisioned for the table: %d. Requested WriteCapacityUnits: %d. "+
			"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
			*old.ReadCapacityUnits, *p.ReadCapacityUnits, *old.WriteCapacityUnits, *p.WriteCapacityUnits)
	}
	d.ProvisionedThroughput = throughput(p)
	stamp(d.ProvisionedThroughput, old, now)
	return nil
}

// stamp notes when throughput last grew and shrank.
func stamp(p, old *dynamodbapi.ProvisionedThroughputDescription, now time.Time) {
	p.LastIncreaseDateTime, p.LastDecreaseDateTime = old.LastIncreaseDateTime, old.LastDecreaseDateTime
	if *p.ReadCapacityUnits > *old.ReadCapacityUnits || *p.WriteCapacityUnits > *old.WriteCapacityUnits {
		p.LastIncreaseDateTime = &now
	}
	if *p.ReadCapacityUnits < *old.ReadCapacityUnits || *p.WriteCapacityUnits < *old.WriteCapacityUnits {
		p.LastDecreaseDateTime = &now
	}
}

func (r *tableRecord) switchMode(mode string, now time.Time) {
	d := &r.Description
	summary := &dynamodbapi.BillingModeSummary{BillingMode: &mode}
	if d.BillingModeSummary != nil {
		summary.LastUpdateToPayPerRequestDateTime = d.BillingModeSummary.LastUpdateToPayPerRequestDateTime
	}
	if mode == dynamodbapi.BillingModePAYPERREQUEST {
		summary.LastUpdateToPayPerRequestDateTime = &now
		d.ProvisionedThroughput = throughput(nil)
		for i := range d.GlobalSecondaryIndexes {
			d.GlobalSecondaryIndexes[i].ProvisionedThroughput = throughput(nil)
		}
	}
	d.BillingModeSummary = summary
}

// updateIndexes applies the changes to global indexes. Attribute definitions
// may be given whole or only those that are new.
func (r *tableRecord) updateIndexes(tx store.Tx, in *dynamodbapi.UpdateTableInput) error {
	if in.GlobalSecondaryIndexUpdates == nil {
		return nil
	}
	d := &r.Description
	for _, a := range in.AttributeDefinitions {
		i := slices.IndexFunc(d.AttributeDefinitions, func(b dynamodbapi.AttributeDefinition) bool { return *a.AttributeName == *b.AttributeName })
		if i < 0 {
			d.AttributeDefinitions = append(d.AttributeDefinitions, a)
		} else if *d.AttributeDefinitions[i].AttributeType != *a.AttributeType {
			return invalidValue("Cannot redefine attribute %s: it is part of a key as %s", *a.AttributeName, *d.AttributeDefinitions[i].AttributeType)
		}
	}
	for _, u := range in.GlobalSecondaryIndexUpdates {
		var err error
		switch {
		case u.Create != nil:
			err = r.createIndex(u.Create)
		case u.Update != nil:
			err = r.updateIndex(u.Update)
		default:
			err = r.deleteIndex(tx, *u.Delete.IndexName)
		}
		if err != nil {
			return err
		}
	}
	r.pruneAttributes()
	def := r.definition()
	return def.check()
}

func (r *tableRecord) mode() string {
	if r.Description.BillingModeSummary == nil {
		return dynamodbapi.BillingModePROVISIONED
	}
	return *r.Description.BillingModeSummary.BillingMode
}

func (r *tableRecord) createIndex(c *dynamodbapi.CreateGlobalSecondaryIndexAction) error {
	if r.IndexIDs[*c.IndexName] != "" {
		return validation("The table already has an index named %s", *c.IndexName)
	}
	for _, x := range r.Description.GlobalSecondaryIndexes {
		if *x.IndexStatus == dynamodbapi.IndexStatusCREATING {
			return inUse("Attempt to change a resource which is still in use: Table is being updated: %s", *r.Description.TableName)
		}
	}
	if err := checkBilling(r.mode(), c.ProvisionedThroughput, *c.IndexName); err != nil {
		return err
	}
	r.addGlobal(dynamodbapi.GlobalSecondaryIndex{IndexName: c.IndexName, KeySchema: c.KeySchema, Projection: c.Projection,
		ProvisionedThroughput: c.ProvisionedThroughput}, dynamodbapi.IndexStatusCREATING)
	return nil
}

func (r *tableRecord) findIndex(name string) (int, error) {
	i := slices.IndexFunc(r.Description.GlobalSecondaryIndexes, func(x dynamodbapi.GlobalSecondaryIndexDescription) bool { return *x.IndexName == name })
	if i < 0 {
		return 0, &dynamodbapi.ResourceNotFoundException{Message: wire.Ptr("Requested resource not found")}
	}
	return i, nil
}

func (r *tableRecord) updateIndex(u *dynamodbapi.UpdateGlobalSecondaryIndexAction) error {
	i, err := r.findIndex(*u.IndexName)
	if err != nil {
		return err
	}
	if u.ProvisionedThroughput == nil {
		return invalidValue("ProvisionedThroughput must be specified for index: %s", *u.IndexName)
	}
	if err := checkBilling(r.mode(), u.ProvisionedThroughput, *u.IndexName); err != nil {
		return err
	}
	r.Description.GlobalSecondaryIndexes[i].ProvisionedThroughput = throughput(u.ProvisionedThroughput)
	return nil
}

func (r *tableRecord) deleteIndex(tx store.Tx, name string) error {
	i, err := r.findIndex(name)
	if err != nil {
		return err
	}
	r.Description.GlobalSecondaryIndexes = slices.Delete(r.Description.GlobalSecondaryIndexes, i, i+1)
	id := r.IndexIDs[name]
	delete(r.IndexIDs, name)
	return tx.DeleteRange(indexRange(r.ID, id))
}

// definition returns the record's schema for checking.
func (r *tableRecord) definition() definition {
	d := definition{attributes: r.Description.AttributeDefinitions, key: r.Description.KeySchema}
	for _, x := range r.Description.LocalSecondaryIndexes {
		d.local = append(d.local, dynamodbapi.LocalSecondaryIndex{IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection})
	}
	for _, x := range r.Description.GlobalSecondaryIndexes {
		d.global = append(d.global, dynamodbapi.GlobalSecondaryIndex{IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection})
	}
	return d
}

// pruneAttributes drops the definitions of attributes that are no key any
// more.
func (r *tableRecord) pruneAttributes() {
	def := r.definition()
	used := keyNames(def.key)
	for _, x := range def.local {
		used = append(used, keyNames(x.KeySchema)...)
	}
	for _, x := range def.global {
		used = append(used, keyNames(x.KeySchema)...)
	}
	r.Description.AttributeDefinitions = slices.DeleteFunc(r.Description.AttributeDefinitions, func(a dynamodbapi.AttributeDefinition) bool {
		return !slices.Contains(used, *a.AttributeName)
	})
}

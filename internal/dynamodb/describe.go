package dynamodb

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// DescribeTable returns a table's definition, state and size.
func (s *Service) DescribeTable(ctx context.Context, in *dynamodbapi.DescribeTableInput) (*dynamodbapi.DescribeTableOutput, error) {
	r, err := s.describe(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	if r, err = s.looked(ctx, r); err != nil {
		return nil, err
	}
	sizes, err := s.sizes(ctx, compile(r))
	if err != nil {
		return nil, err
	}
	return &dynamodbapi.DescribeTableOutput{Table: complete(r.Description, sizes)}, nil
}

// How long counted sizes may be used although the table has changed. AWS
// refreshes them about every six hours; ours are exact for tables that count
// quickly.
const (
	quickCount  = 50 * time.Millisecond
	sizesMaxAge = 6 * time.Hour
)

// tableStats tells whether the sizes counted last are still right.
type tableStats struct {
	writes  atomic.Uint64 // transactions that wrote to the table
	counted atomic.Pointer[tableSizes]
}

// extent is how much a table or index holds.
type extent struct{ size, count int64 }

type tableSizes struct {
	generation, writes uint64
	at                 time.Time
	took               time.Duration
	table              extent
	indexes            map[string]extent
}

func (s *Service) statsOf(id string) *tableStats {
	if st, ok := s.stats.Load(id); ok {
		return st.(*tableStats)
	}
	st, _ := s.stats.LoadOrStore(id, &tableStats{})
	return st.(*tableStats)
}

// touched notes that a table was written to.
func (s *Service) touched(t *table) {
	s.statsOf(t.id).writes.Add(1)
	if t.stream != nil {
		s.feeds.wake(t.stream.feed)
	}
}

// sizes counts a table's items and index entries, or returns the last count if
// that is good enough.
func (s *Service) sizes(ctx context.Context, t *table) (*tableSizes, error) {
	st := s.statsOf(t.id)
	writes, now := st.writes.Load(), s.clock.Now()
	last := st.counted.Load()
	if last != nil && last.generation == t.generation &&
		(last.writes == writes || last.took > quickCount && now.Sub(last.at) < sizesMaxAge) {
		return last, nil
	}
	n := &tableSizes{generation: t.generation, writes: writes, at: now, indexes: map[string]extent{}}
	started := time.Now()
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		var err error
		if n.table, err = count(tx, t.root(nil)); err != nil {
			return err
		}
		for _, x := range t.indexes {
			if n.indexes[x.name], err = count(tx, t.root(x)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	n.took = time.Since(started)
	st.counted.Store(n)
	return n, nil
}

func count(tx store.ReadTx, root []byte) (extent, error) {
	size, n, err := measure(tx, store.Range{Lo: root, Hi: above(root)})
	return extent{int64(size), int64(n)}, err
}

// ListTables lists the names of the account's tables in a region.
func (s *Service) ListTables(ctx context.Context, in *dynamodbapi.ListTablesInput) (*dynamodbapi.ListTablesOutput, error) {
	const page = 100
	limit := page
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	c := wire.CallerFrom(ctx)
	out := &dynamodbapi.ListTablesOutput{TableNames: []string{}}
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		records := s.records.All(tx, c.Account, c.Region)
		if in.ExclusiveStartTableName != nil {
			records = s.records.After(tx, *in.ExclusiveStartTableName, c.Account, c.Region)
		}
		for r, err := range records {
			if err != nil {
				return err
			}
			if len(out.TableNames) == limit {
				out.LastEvaluatedTableName = &out.TableNames[limit-1]
				return nil
			}
			out.TableNames = append(out.TableNames, *r.Description.TableName)
		}
		return nil
	})
	return out, err
}

// DeleteTable deletes a table and all that is in it.
func (s *Service) DeleteTable(ctx context.Context, in *dynamodbapi.DeleteTableInput) (*dynamodbapi.DeleteTableOutput, error) {
	key, err := resolve(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	var r *tableRecord
	now := s.clock.Now()
	err = s.store.Update(ctx, func(tx store.Tx) error {
		if r, err = s.load(tx, key); err != nil {
			return err
		}
		switch {
		case r == nil:
			return noTable(key.name)
		case r.Copy != nil:
			return beingCreated(key.name)
		case *r.Description.DeletionProtectionEnabled:
			return validation("%sTable '%s' can't be deleted while DeletionProtectionEnabled is set to True", envelope, key.name)
		}
		if needed, err := s.source(tx, r.ID); err != nil || needed {
			if err == nil {
				err = inUse("Attempt to change a resource which is still in use: Table is being backed up or restored from: %s", key.name)
			}
			return err
		}
		if err := r.endStream(tx, now); err != nil {
			return err
		}
		if err := s.records.Delete(tx, key.account, key.region, key.name); err != nil {
			return err
		}
		return r.clear(tx, now)
	})
	if err != nil {
		return nil, err
	}
	s.tables.Delete(key)
	s.stats.Delete(r.ID)
	s.unseal(ctx, r.sealing())
	s.wake()
	return &dynamodbapi.DeleteTableOutput{TableDescription: &dynamodbapi.TableDescription{
		TableName: &key.name, TableStatus: wire.Ptr(dynamodbapi.TableStatusDELETING), ProvisionedThroughput: r.Description.ProvisionedThroughput,
		TableSizeBytes: wire.Ptr(int64(0)), ItemCount: wire.Ptr(int64(0)), TableArn: r.Description.TableArn, TableId: r.Description.TableId,
		BillingModeSummary: r.Description.BillingModeSummary, DeletionProtectionEnabled: wire.Ptr(false),
	}}, nil
}

// DescribeLimits returns the account's default throughput quotas.
func (s *Service) DescribeLimits(context.Context, *dynamodbapi.DescribeLimitsInput) (*dynamodbapi.DescribeLimitsOutput, error) {
	return &dynamodbapi.DescribeLimitsOutput{
		AccountMaxReadCapacityUnits: wire.Ptr(int64(80000)), AccountMaxWriteCapacityUnits: wire.Ptr(int64(80000)),
		TableMaxReadCapacityUnits: wire.Ptr(int64(40000)), TableMaxWriteCapacityUnits: wire.Ptr(int64(40000)),
	}, nil
}

// DescribeEndpoints returns the address under which the caller reached us.
func (s *Service) DescribeEndpoints(ctx context.Context, _ *dynamodbapi.DescribeEndpointsRequest) (*dynamodbapi.DescribeEndpointsResponse, error) {
	return &dynamodbapi.DescribeEndpointsResponse{Endpoints: []dynamodbapi.Endpoint{
		{Address: wire.Ptr(hostOf(wire.CallerFrom(ctx).Endpoint)), CachePeriodInMinutes: wire.Ptr(int64(1440))},
	}}, nil
}

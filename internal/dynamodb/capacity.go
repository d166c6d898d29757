package dynamodb

import (
	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/wire"
)

// writeUnits is what a write of size bytes consumes.
func writeUnits(size int) float64 { return float64(max(1, (size+1023)/1024)) }

// readUnits is what a read of size bytes consumes.
func readUnits(size int, consistent bool) float64 {
	units := float64(max(1, (size+4095)/4096))
	if !consistent {
		units /= 2
	}
	return units
}

// usage adds up what a request consumes of one table.
type usage struct {
	table  *table
	units  float64
	local  map[string]float64
	global map[string]float64
	// transaction is "read" or "write" for a transaction's usage, which is
	// also reported under that name.
	transaction string
}

// on adds units consumed of an index; nil stands for the table itself.
func (u *usage) on(x *index, units float64) {
	switch {
	case x == nil:
		u.units += units
	case x.global:
		u.global = added(u.global, x.name, units)
	default:
		u.local = added(u.local, x.name, units)
	}
}

func added(m map[string]float64, name string, units float64) map[string]float64 {
	if m == nil {
		m = map[string]float64{}
	}
	m[name] += units
	return m
}

// writes adds the cost of one write: of the table by the larger of the sizes
// before and after, and of its indexes. Transactions pay twice.
func (u *usage) writes(w *written, factor float64) {
	u.on(nil, factor*writeUnits(max(w.old.Size(), w.now.Size())))
	for x, units := range w.indexes {
		u.on(x, factor*units)
	}
}

// report returns the ConsumedCapacity that the request asked for with
// ReturnConsumedCapacity; nil if it did not.
func (u *usage) report(asked *string) *dynamodbapi.ConsumedCapacity {
	level := wire.Val(asked)
	if level != dynamodbapi.ReturnConsumedCapacityTOTAL && level != dynamodbapi.ReturnConsumedCapacityINDEXES {
		return nil
	}
	total := u.units
	for _, m := range []map[string]float64{u.local, u.global} {
		for _, units := range m {
			total += units
		}
	}
	whole := u.capacity(total)
	c := &dynamodbapi.ConsumedCapacity{TableName: wire.Ptr(u.table.key.name), CapacityUnits: whole.CapacityUnits,
		ReadCapacityUnits: whole.ReadCapacityUnits, WriteCapacityUnits: whole.WriteCapacityUnits}
	if level == dynamodbapi.ReturnConsumedCapacityINDEXES {
		own := u.capacity(u.units)
		c.Table = &own
		c.LocalSecondaryIndexes = u.capacities(u.local)
		c.GlobalSecondaryIndexes = u.capacities(u.global)
	}
	return c
}

func (u *usage) capacity(units float64) dynamodbapi.Capacity {
	c := dynamodbapi.Capacity{CapacityUnits: wire.Ptr(units)}
	switch u.transaction {
	case "read":
		c.ReadCapacityUnits = wire.Ptr(units)
	case "write":
		c.WriteCapacityUnits = wire.Ptr(units)
	}
	return c
}

func (u *usage) capacities(m map[string]float64) map[string]dynamodbapi.Capacity {
	if m == nil {
		return nil
	}
	out := make(map[string]dynamodbapi.Capacity, len(m))
	for name, units := range m {
		out[name] = u.capacity(units)
	}
	return out
}

// usages adds up a request over several tables, in the order they come.
type usages struct {
	transaction string
	all         []*usage
}

func (us *usages) of(t *table) *usage {
	for _, u := range us.all {
		if u.table == t {
			return u
		}
	}
	u := &usage{table: t, transaction: us.transaction}
	us.all = append(us.all, u)
	return u
}

func (us *usages) report(asked *string) []dynamodbapi.ConsumedCapacity {
	var out []dynamodbapi.ConsumedCapacity
	for _, u := range us.all {
		if c := u.report(asked); c != nil {
			out = append(out, *c)
		}
	}
	return out
}

package dynamodb

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/keys"
	"github.com/butai-dev/butai/internal/wire"
)

// tableKey names a table.
type tableKey struct{ account, region, name string }

func (k tableKey) arn() string {
	return arn.New("dynamodb", k.region, k.account, "table/"+k.name).String()
}

// tableRecord is a table as stored. Items are filed under ID, which no other
// table ever has, so a table of the same name starts empty.
type tableRecord struct {
	ID              string
	Account, Region string
	// Generation grows with every change of the record; the store also holds
	// it under a small key of its own.
	Generation  uint64
	Description dynamodbapi.TableDescription
	IndexIDs    map[string]string // by index name
	Tags        map[string]string
	TTL         *ttlRecord
	StreamFeed  string         `json:",omitzero"` // of the stream that is enabled
	History     *historyRecord `json:",omitzero"` // nil if changes aren't remembered
	Copy        *copyRecord    `json:",omitzero"` // what the table is being restored from
	// KeyGrant is the id of DynamoDB's grant of the table's key, if that is one of
	// the user's, and Unreachable since when the key is known not to be usable.
	KeyGrant    string    `json:",omitzero"`
	Unreachable time.Time `json:",omitzero"`
}

// ttlRecord is the expiry setting of a table.
type ttlRecord struct {
	Attribute string
	// Ready says that all items older than the setting are filed by expiry.
	Ready bool
}

func (r *tableRecord) key() tableKey {
	return tableKey{r.Account, r.Region, *r.Description.TableName}
}

// table is a compiled table definition. It is immutable.
type table struct {
	key        tableKey
	id         string
	generation uint64
	record     *tableRecord
	schema     keySchema
	indexes    []*index // those being created included
	ttl        string   // attribute, or ""
	hasLocal   bool     // has local secondary indexes
	stream     *stream  // nil without one
	history    string   // feed that remembers changes; "" without
	clock      clock.Clock
	kinds      map[string]attr.Kind
}

// keySchema is the key of a table or index.
type keySchema struct {
	hash   expr.KeyAttribute
	ranged *expr.KeyAttribute // nil without a range attribute
}

// each yields the key attributes.
func (k *keySchema) each(yield func(expr.KeyAttribute) bool) {
	if yield(k.hash) && k.ranged != nil {
		yield(*k.ranged)
	}
}

func (k *keySchema) has(name string) bool {
	return name == k.hash.Name || k.ranged != nil && name == k.ranged.Name
}

// of returns the key attributes of it.
func (k *keySchema) of(it attr.Item) attr.Item {
	key := attr.Item{k.hash.Name: it[k.hash.Name]}
	if k.ranged != nil {
		key[k.ranged.Name] = it[k.ranged.Name]
	}
	return key
}

// index is a compiled secondary index.
type index struct {
	id, name string
	global   bool
	active   bool
	schema   keySchema
	all      bool                // projects every attribute
	keep     map[string]struct{} // else those projected, keys included
	table    *table
}

// projects reports whether the index holds an attribute.
func (x *index) projects(name string) bool {
	_, ok := x.keep[name]
	return x.all || ok
}

func compile(r *tableRecord) *table {
	d := &r.Description
	t := &table{key: r.key(), id: r.ID, generation: r.Generation, record: r, kinds: map[string]attr.Kind{}}
	for _, a := range d.AttributeDefinitions {
		t.kinds[*a.AttributeName] = attr.ParseKind(*a.AttributeType)
	}
	t.schema = t.keySchema(d.KeySchema)
	for _, x := range d.LocalSecondaryIndexes {
		t.addIndex(*x.IndexName, x.KeySchema, x.Projection, false, true)
		t.hasLocal = true
	}
	for _, x := range d.GlobalSecondaryIndexes {
		t.addIndex(*x.IndexName, x.KeySchema, x.Projection, true, *x.IndexStatus == dynamodbapi.IndexStatusACTIVE)
	}
	if r.TTL != nil {
		t.ttl = r.TTL.Attribute
	}
	if r.StreamFeed != "" {
		t.stream = &stream{r.StreamFeed, *d.StreamSpecification.StreamViewType}
	}
	if r.History != nil {
		t.history = r.History.Feed
	}
	return t
}

func (t *table) keySchema(elements []dynamodbapi.KeySchemaElement) keySchema {
	var k keySchema
	for _, e := range elements {
		a := expr.KeyAttribute{Name: *e.AttributeName, Kind: t.kinds[*e.AttributeName]}
		if *e.KeyType == dynamodbapi.KeyTypeHASH {
			k.hash = a
		} else {
			k.ranged = &a
		}
	}
	return k
}

func (t *table) addIndex(name string, key []dynamodbapi.KeySchemaElement, p *dynamodbapi.Projection, global, active bool) {
	x := &index{id: t.record.IndexIDs[name], name: name, global: global, active: active, schema: t.keySchema(key), table: t}
	x.all = *p.ProjectionType == dynamodbapi.ProjectionTypeALL
	x.keep = map[string]struct{}{}
	for _, k := range []*keySchema{&t.schema, &x.schema} {
		for a := range k.each {
			x.keep[a.Name] = struct{}{}
		}
	}
	for _, a := range p.NonKeyAttributes {
		x.keep[a] = struct{}{}
	}
	t.indexes = append(t.indexes, x)
}

// index returns the index of the given name, or nil.
func (t *table) index(name string) *index {
	i := slices.IndexFunc(t.indexes, func(x *index) bool { return x.name == name })
	if i < 0 {
		return nil
	}
	return t.indexes[i]
}

// current returns errStale if the stored definition is another one. Every
// transaction that relies on t calls it.
func (t *table) current(tx store.ReadTx) error {
	g, err := tx.Get(generationKey(t.id))
	if err != nil {
		return err
	}
	if g == nil || binary.BigEndian.Uint64(g) != t.generation {
		return errStale{t.key}
	}
	return nil
}

// resolve returns the key of the table that a request names, by name or ARN.
func resolve(ctx context.Context, nameOrARN *string) (tableKey, error) {
	c := wire.CallerFrom(ctx)
	name := wire.Val(nameOrARN)
	if !strings.HasPrefix(name, "arn:") {
		return tableKey{c.Account, c.Region, name}, nil
	}
	a, err := arn.Parse(name)
	resource, ok := strings.CutPrefix(a.Resource, "table/")
	if err != nil || !ok || a.Service != "dynamodb" {
		return tableKey{}, validation("Invalid TableArn: Invalid ResourceArn provided as input %s", name)
	}
	resource, _, _ = strings.Cut(resource, "/")
	if a.Account != c.Account || a.Region != c.Region {
		return tableKey{}, wire.Errorf("AccessDeniedException",
			"User: %s is not authorized to access resource: %s because no resource-based policy allows it", c.ARN, name)
	}
	return tableKey{a.Account, a.Region, resource}, nil
}

// table returns the compiled definition of the table that a data plane request
// names, whose key the caller can use; ResourceNotFoundException if there is
// none.
func (s *Service) table(ctx context.Context, nameOrARN *string) (*table, error) {
	t, err := s.named(ctx, nameOrARN)
	if err == nil {
		err = s.open(ctx, t.record)
	}
	return t, err
}

// named is table without a look at the key.
func (s *Service) named(ctx context.Context, nameOrARN *string) (*table, error) {
	key, err := resolve(ctx, nameOrARN)
	if err != nil {
		return nil, err
	}
	t, err := s.lookup(ctx, key)
	if err == nil && (t == nil || t.record.Copy != nil) {
		return nil, noResource()
	}
	return t, err
}

// lookup returns the compiled definition of a table; nil if there is none.
func (s *Service) lookup(ctx context.Context, key tableKey) (*table, error) {
	if t, ok := s.tables.Load(key); ok {
		return t.(*table), nil
	}
	var r *tableRecord
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		var err error
		r, err = s.load(tx, key)
		return err
	})
	if err != nil || r == nil {
		return nil, err
	}
	t := compile(r)
	t.clock = s.clock
	s.tables.Store(key, t)
	return t, nil
}

func (s *Service) load(tx store.ReadTx, key tableKey) (*tableRecord, error) {
	return s.records.Get(tx, key.account, key.region, key.name)
}

// save stores a new or changed record under its next generation.
func (s *Service) save(tx store.Tx, r *tableRecord) error {
	r.Generation++
	if err := tx.Put(generationKey(r.ID), binary.BigEndian.AppendUint64(nil, r.Generation)); err != nil {
		return err
	}
	k := r.key()
	return s.records.Put(tx, r, k.account, k.region, k.name)
}

// change applies fn to the record of a table in one transaction and returns
// the record as stored. fn may run more than once; a nil record means that
// there is no such table.
func (s *Service) change(ctx context.Context, nameOrARN *string, fn func(tx store.Tx, r *tableRecord) error) (*tableRecord, error) {
	key, err := resolve(ctx, nameOrARN)
	if err != nil {
		return nil, err
	}
	var r *tableRecord
	err = s.store.Update(ctx, func(tx store.Tx) error {
		if r, err = s.load(tx, key); err != nil {
			return err
		}
		if r == nil {
			return noTable(key.name)
		}
		if r.Copy != nil {
			return beingCreated(key.name)
		}
		if err := fn(tx, r); err != nil {
			return err
		}
		return s.save(tx, r)
	})
	if err != nil {
		return nil, err
	}
	s.tables.Delete(key)
	return r, nil
}

// describe returns the stored record of a table for the control plane.
func (s *Service) describe(ctx context.Context, nameOrARN *string) (*tableRecord, error) {
	key, err := resolve(ctx, nameOrARN)
	if err != nil {
		return nil, err
	}
	var r *tableRecord
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		r, err = s.load(tx, key)
		return err
	})
	if err == nil && r == nil {
		err = noTable(key.name)
	}
	return r, err
}

// The key space of a table: everything is below tableRange(id).
const (
	space           = "dynamodb-data"
	partGeneration  = "g"
	partItems       = "i"
	partIndex       = "x"
	partExpiry      = "e"
	partitionLength = 16
)

func generationKey(id string) []byte { return keys.Make(space, id, partGeneration) }

func tableRange(id string) (lo, hi []byte) { return keys.Prefix(space, id) }

func indexRange(id, indexID string) (lo, hi []byte) {
	return keys.Prefix(space, id, partIndex, indexID)
}

// above returns the smallest key behind all that start with prefix.
func above(prefix []byte) []byte {
	hi := bytes.Clone(prefix)
	for i := len(hi) - 1; i >= 0; i-- {
		hi[i]++
		if hi[i] != 0 {
			return hi[:i+1]
		}
	}
	return nil
}

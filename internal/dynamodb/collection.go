package dynamodb

import (
	"context"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// collectionMetrics returns the ItemCollectionMetrics of a written item, if
// asked for: the size of everything with its partition key in the table and
// its local indexes. Tables without local indexes have no collections.
func (s *Service) collectionMetrics(ctx context.Context, asked *string, w *write) (*dynamodbapi.ItemCollectionMetrics, error) {
	if wire.Val(asked) != dynamodbapi.ReturnItemCollectionMetricsSIZE || !w.table.hasLocal {
		return nil, nil
	}
	hash := w.key[w.table.schema.hash.Name]
	roots := [][]byte{w.table.root(nil)}
	for _, x := range w.table.indexes {
		if !x.global {
			roots = append(roots, w.table.root(x))
		}
	}
	size := 0
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		for _, root := range roots {
			lo := appendPartition(root, hash)
			n, _, err := measure(tx, store.Range{Lo: lo, Hi: above(lo)})
			if err != nil {
				return err
			}
			size += n
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	whole := float64(size >> 30)
	return &dynamodbapi.ItemCollectionMetrics{
		ItemCollectionKey:   attr.Item{w.table.schema.hash.Name: hash},
		SizeEstimateRangeGB: []float64{whole, whole + 1},
	}, nil
}

// measure returns the bytes and number of the items in a range.
func measure(tx store.ReadTx, r store.Range) (size, count int, err error) {
	for kv, err := range tx.Scan(r) {
		if err != nil {
			return 0, 0, err
		}
		it, err := attr.DecodeItem(kv.Value)
		if err != nil {
			return 0, 0, err
		}
		size += it.Size()
		count++
	}
	return size, count, nil
}

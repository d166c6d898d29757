package dynamodb

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/store"
)

// Remembered counts the changes that are kept for point-in-time recovery, also
// of tables that have none any more.
func (s *Service) Remembered(ctx context.Context) (n int, err error) {
	var names []string
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		tables, err := s.records.List(tx)
		for _, r := range tables {
			if r.History != nil {
				names = append(names, r.History.Feed)
			}
		}
		old, failed := oldFeeds.List(tx)
		for _, f := range old {
			names = append(names, f.Feed)
		}
		return errors.Join(err, failed)
	})
	for _, feed := range names {
		err = errors.Join(err, s.readHistory(ctx, feed, 0, func(uint64, *past) (bool, error) {
			n++
			return true, nil
		}))
	}
	return n, err
}

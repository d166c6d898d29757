package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
)

// Backup implements store.Store. It reads one snapshot and writes it in a
// format of its own (archive.go), for Restore.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	return s.lend(ctx, func(c *pgx.Conn) error {
		options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
		return pgx.BeginTxFunc(ctx, c, options, func(tx pgx.Tx) error {
			if err := dump(ctx, tx, w); err != nil {
				return fmt.Errorf("back up: %w", err)
			}
			return nil
		})
	})
}

func dump(ctx context.Context, tx pgx.Tx, w io.Writer) error {
	out := newArchiveWriter(w)
	err := each(ctx, tx, "SELECT head, tail, v FROM kv", func(rows pgx.Rows) error {
		var head, tail, value []byte
		if err := rows.Scan(&head, &tail, &value); err != nil {
			return err
		}
		return out.write(entry{kind: pairEntry, name: append(head, tail...), data: value})
	})
	if err != nil {
		return err
	}
	err = each(ctx, tx, "SELECT name, position, payload FROM feed", func(rows pgx.Rows) error {
		e := entry{kind: recordEntry}
		if err := rows.Scan(&e.name, &e.position, &e.data); err != nil {
			return err
		}
		return out.write(e)
	})
	if err != nil {
		return err
	}
	// A sequence is outside snapshots. Read last, it is not behind any record.
	var last uint64
	if err := tx.QueryRow(ctx, "SELECT last_value FROM feed_position").Scan(&last); err != nil {
		return err
	}
	return out.finish(last)
}

// each calls row for each row of a query as it comes in.
func each(ctx context.Context, tx pgx.Tx, query string, row func(pgx.Rows) error) error {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Restore fills the schema of opts in the database at dsn with what Backup
// wrote. It refuses a schema that holds anything, and damaged bytes.
func Restore(ctx context.Context, dsn string, opts Options, r io.Reader) (err error) {
	s, err := Open(ctx, dsn, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "LOCK TABLE kv, feed IN ACCESS EXCLUSIVE MODE"); err != nil {
			return err
		}
		var used bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM kv) OR EXISTS (SELECT FROM feed)").Scan(&used); err != nil {
			return err
		}
		if used {
			return fmt.Errorf("schema %s holds a store already: restore into an empty one", s.schema)
		}
		if err := load(ctx, tx, r); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		return nil
	})
}

// load copies the pairs, then the records, then the position.
func load(ctx context.Context, tx pgx.Tx, r io.Reader) error {
	in, err := newArchiveReader(bufio.NewReader(r))
	if err != nil {
		return err
	}
	pairs := &copySource{in: in, kind: pairEntry, row: func(e entry) []any {
		head, tail := split(e.name)
		return []any{head, tail, e.data}
	}}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"kv"}, []string{"head", "tail", "v"}, pairs); err != nil {
		return err
	}
	records := &copySource{in: in, kind: recordEntry, row: func(e entry) []any {
		return []any{e.name, int64(e.position), e.data}
	}}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"feed"}, []string{"name", "position", "payload"}, records); err != nil {
		return err
	}
	last, err := in.finish()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "SELECT setval('feed_position', $1)", int64(last))
	return err
}

// copySource feeds the entries of one kind to CopyFrom.
type copySource struct {
	in   *archiveReader
	kind byte
	row  func(entry) []any
	next entry
	err  error
}

var _ pgx.CopyFromSource = (*copySource)(nil)

func (c *copySource) Next() bool {
	var ok bool
	c.next, ok, c.err = c.in.read(c.kind)
	return ok && c.err == nil
}

func (c *copySource) Values() ([]any, error) { return c.row(c.next), nil }

func (c *copySource) Err() error { return c.err }

package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// migrations bring a schema from version i to i+1. The version is in the table
// version. Entries are only ever added.
var migrations = [...]string{
	// An index row has room for 2.7 kB, less than a key may have. So a key is
	// split: head is what the index orders by, tail the rest, nearly always
	// empty. Keys that share a whole head are sorted by tail when read.
	`CREATE TABLE kv (
		head bytea NOT NULL,
		tail bytea NOT NULL,
		v bytea NOT NULL
	);
	CREATE UNIQUE INDEX kv_key ON kv (head, sha256(tail));
	CREATE TABLE feed (
		name bytea NOT NULL,
		position bigint NOT NULL,
		payload bytea NOT NULL,
		PRIMARY KEY (name, position)
	);
	-- All feeds count together. Unlike a row, a sequence does not make the
	-- transactions that use it conflict.
	CREATE SEQUENCE feed_position;
	-- Updates that met a conflict lock this table to go one after another.
	CREATE TABLE retry_lane ();`,
}

// migrate brings the schema up to date, or refuses one made by a later version
// of the program. Several nodes may do it at once.
func (s *Store) migrate(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		name := pgx.Identifier{s.schema}.Sanitize()
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", s.lockID("", "migrate")); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+name); err != nil {
			return fmt.Errorf("make schema %s: %w", name, err)
		}
		if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS version (version int NOT NULL)"); err != nil {
			return err
		}
		var version int
		if err := tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM version").Scan(&version); err != nil {
			return err
		}
		if version > len(migrations) {
			return fmt.Errorf("schema %s has version %d, this program knows up to %d: use a newer release", name, version, len(migrations))
		}
		for ; version < len(migrations); version++ {
			if _, err := tx.Exec(ctx, migrations[version]); err != nil {
				return fmt.Errorf("bring schema %s to version %d: %w", name, version+1, err)
			}
			if _, err := tx.Exec(ctx, "INSERT INTO version VALUES ($1)", version+1); err != nil {
				return err
			}
		}
		return nil
	})
}

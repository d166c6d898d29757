package sqlite

import (
	"context"
	"fmt"
)

// migrations bring a database from version i to i+1. The version is in the
// file's user_version. Entries are only ever added.
var migrations = [...]string{
	// Looking for a key in a table WITHOUT ROWID, SQLite loads every row it
	// meets on the way as a whole. That is fastest as long as rows are small,
	// so larger values live in a table of their own.
	`CREATE TABLE kv (
		k BLOB NOT NULL PRIMARY KEY,
		v BLOB,           -- NULL if the value is in large
		large_id INTEGER  -- NULL if the value is in v
	) WITHOUT ROWID;
	CREATE TABLE large (
		id INTEGER PRIMARY KEY,
		v BLOB NOT NULL
	);
	CREATE TRIGGER large_replaced AFTER UPDATE OF large_id ON kv WHEN old.large_id IS NOT NULL
	BEGIN
		DELETE FROM large WHERE id = old.large_id;
	END;
	CREATE TRIGGER large_deleted AFTER DELETE ON kv WHEN old.large_id IS NOT NULL
	BEGIN
		DELETE FROM large WHERE id = old.large_id;
	END;
	CREATE TABLE feed (
		name BLOB NOT NULL,
		position INTEGER NOT NULL,
		payload BLOB NOT NULL,
		PRIMARY KEY (name, position)
	);
	-- The last position given out, which must outlive trimmed records.
	CREATE TABLE feed_head (
		name BLOB NOT NULL PRIMARY KEY,
		position INTEGER NOT NULL
	) WITHOUT ROWID;`,
}

// migrate brings the database up to date, or refuses one made by a later
// version of the program.
func migrate(ctx context.Context, c *conn) error {
	version, err := c.version()
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("the data has schema version %d, this program knows up to %d: use a newer release", version, len(migrations))
	}
	for i := version; i < len(migrations); i++ {
		script := fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT;", migrations[i], i+1)
		if err := c.script(ctx, script); err != nil {
			return fmt.Errorf("bring the schema to version %d: %w", i+1, err)
		}
	}
	return nil
}

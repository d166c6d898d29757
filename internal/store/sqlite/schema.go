package sqlite

import (
	"context"
	"fmt"
)

// migrations bring a database from version i to i+1. The version is in the
// file's user_version. Entries are only ever added.
var migrations = [...]string{
	`CREATE TABLE kv (
		k BLOB NOT NULL PRIMARY KEY,
		v BLOB NOT NULL
	) WITHOUT ROWID;
	CREATE TABLE feed (
		name BLOB NOT NULL,
		position INTEGER NOT NULL,
		payload BLOB NOT NULL,
		PRIMARY KEY (name, position)
	) WITHOUT ROWID;
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

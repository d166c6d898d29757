package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	sqlite "modernc.org/sqlite"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/txn"
)

// value is the value of a row of kv. The inner query runs only if v is NULL.
const value = "coalesce(v, (SELECT v FROM large WHERE id = large_id))"

// pageBytes is where a page of a scan stops short, to bound memory.
const pageBytes = 1 << 20

// conn is one SQLite connection with its prepared statements. It goes below
// database/sql, whose pool and row handling cost as much as the statements
// here. A conn belongs to one goroutine at a time.
type conn struct {
	raw        driver.Conn
	statements map[string]driver.Stmt
}

var _ txn.Reader = (*conn)(nil)

// source names a database file with the settings of its connections.
type source struct {
	path    string
	mode    string // rw, rwc or ro
	pragmas []string
}

// dsn is the driver's name for the source. Pragmas run in order.
func (s source) dsn() string {
	q := url.Values{"mode": {s.mode}, "_pragma": s.pragmas}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: s.path, RawQuery: q.Encode()}).String()
}

func (s source) connect(ctx context.Context) (*conn, error) {
	connector, err := sqlite.NewConnector(s.dsn())
	if err != nil {
		return nil, err
	}
	raw, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, statements: make(map[string]driver.Stmt)}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.statements {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// prepared returns the statement of query, which is compiled once.
func (c *conn) prepared(query string) (driver.Stmt, error) {
	if s, ok := c.statements[query]; ok {
		return s, nil
	}
	s, err := c.raw.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	c.statements[query] = s
	return s, nil
}

// exec runs a statement to its end. It cannot be interrupted: statements here
// are short, and interrupting one would cost a goroutine each.
func (c *conn) exec(query string, args ...any) error {
	s, err := c.prepared(query)
	if err != nil {
		return err
	}
	_, err = s.(driver.StmtExecContext).ExecContext(context.Background(), named(args))
	return err
}

// query calls row for each row of a statement until row returns false.
func (c *conn) query(query string, args []any, row func([]driver.Value) bool) (err error) {
	s, err := c.prepared(query)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), named(args))
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, rows.Close()) }()
	dest := make([]driver.Value, len(rows.Columns()))
	for {
		err := rows.Next(dest)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !row(dest) {
			return nil
		}
	}
}

func named(args []any) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, a := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return out
}

// script runs any number of statements once. It ends early when ctx does.
func (c *conn) script(ctx context.Context, text string, args ...any) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(ctx, text, named(args))
	return err
}

// text runs a statement that answers one text.
func (c *conn) text(query string) (string, error) {
	var text string
	err := c.query(query, nil, func(row []driver.Value) bool {
		text = row[0].(string)
		return false
	})
	return text, err
}

// version reads the schema version of the file.
func (c *conn) version() (int, error) {
	var version int64
	err := c.query("PRAGMA user_version", nil, func(row []driver.Value) bool {
		version = row[0].(int64)
		return false
	})
	return int(version), err
}

// Get implements txn.Reader.
func (c *conn) Get(key []byte) ([]byte, error) {
	var found []byte
	err := c.query("SELECT "+value+" FROM kv WHERE k = ?", []any{blob(key)}, func(row []driver.Value) bool {
		found = blob(row[0].([]byte))
		return false
	})
	return found, err
}

// Page implements txn.Reader.
func (c *conn) Page(r store.Range) (pairs []store.KV, more bool, err error) {
	size := 0
	query, args := pageQuery(r)
	err = c.query(query, args, func(row []driver.Value) bool {
		kv := store.KV{Key: blob(row[0].([]byte)), Value: blob(row[1].([]byte))}
		pairs = append(pairs, kv)
		size += len(kv.Key) + len(kv.Value)
		return size < pageBytes
	})
	return pairs, len(pairs) == r.Limit || size >= pageBytes, err
}

func pageQuery(r store.Range) (string, []any) {
	switch {
	case r.Hi == nil && r.Reverse:
		return "SELECT k, " + value + " FROM kv WHERE k >= ? ORDER BY k DESC LIMIT ?", []any{blob(r.Lo), int64(r.Limit)}
	case r.Hi == nil:
		return "SELECT k, " + value + " FROM kv WHERE k >= ? ORDER BY k LIMIT ?", []any{blob(r.Lo), int64(r.Limit)}
	case r.Reverse:
		return "SELECT k, " + value + " FROM kv WHERE k >= ? AND k < ? ORDER BY k DESC LIMIT ?", []any{blob(r.Lo), r.Hi, int64(r.Limit)}
	default:
		return "SELECT k, " + value + " FROM kv WHERE k >= ? AND k < ? ORDER BY k LIMIT ?", []any{blob(r.Lo), r.Hi, int64(r.Limit)}
	}
}

// blob makes nil an empty slice: the driver reads and writes nil for NULL,
// and no column here is ever NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Package pgtest starts throw-away PostgreSQL servers from the binaries on
// this machine. Only tests import it.
package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTimeout bounds the wait for a new server to answer.
const startTimeout = 60 * time.Second

// Start runs a new, empty server until the end of the test and returns how to
// reach its database as superuser. Settings are of the form "name=value". It
// skips the test if PostgreSQL is not installed.
func Start(tb testing.TB, settings ...string) (dsn string) {
	tb.Helper()
	bin := binDir(tb)
	attr := unprivileged(tb)
	// Not tb.TempDir: the path of a Unix socket has room for 107 bytes.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	if c := attr.Credential; c != nil {
		if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
			tb.Fatal(err)
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata="+data, "--username=postgres",
		"--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		tb.Fatalf("initdb: %v\n%s", err, out)
	}

	var log bytes.Buffer
	args := []string{"-D", data, "-k", dir, "-c", "listen_addresses="}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	server := exec.Command(filepath.Join(bin, "postgres"), args...)
	server.SysProcAttr, server.Dir = attr, dir
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		tb.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- server.Wait() }()
	tb.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT) // fast shutdown
		if err := <-exited; err != nil || tb.Failed() {
			tb.Logf("server: %v\n%s", err, &log)
		}
	})
	dsn = fmt.Sprintf("host=%s user=postgres dbname=postgres", dir)
	if err := await(tb, dsn, exited); err != nil {
		exited <- err // for the clean-up, which waits too
		tb.Fatalf("start server: %v", err)
	}
	return dsn
}

// await returns when the server answers, or the error it ended with.
func await(tb testing.TB, dsn string, exited <-chan error) error {
	deadline := time.After(startTimeout)
	for {
		conn, err := pgx.Connect(tb.Context(), dsn)
		if err == nil {
			return conn.Close(tb.Context())
		}
		select {
		case exit := <-exited:
			return errors.Join(errors.New("the server ended"), exit)
		case <-deadline:
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// binDir finds the newest installed server.
func binDir(tb testing.TB) string {
	tb.Helper()
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path)
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		tb.Fatal(err)
	}
	if len(found) == 0 {
		tb.Skip("PostgreSQL is not installed: no postgres in PATH or /usr/lib/postgresql/*/bin")
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return majorVersion(a) - majorVersion(b) }))
}

// majorVersion of /usr/lib/postgresql/15/bin/postgres is 15.
func majorVersion(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// unprivileged gives up root, as which PostgreSQL refuses to run.
func unprivileged(tb testing.TB) *syscall.SysProcAttr {
	tb.Helper()
	attr := &syscall.SysProcAttr{}
	dieWithParent(attr)
	if os.Getuid() != 0 {
		return attr
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			tb.Fatal(err)
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return attr
	}
	tb.Skip("PostgreSQL does not run as root, and there is no user postgres or nobody")
	return nil
}

package ca_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/ca"
	"github.com/butai-dev/butai/internal/clock"
)

func TestRootSurvives(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ca")
	c := clock.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	first, err := ca.New(dir, c).Root()
	if err != nil {
		t.Fatal(err)
	}
	second := ca.New(dir, c)
	again, err := second.Root()
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("a restart made another root: %v", err)
	}
	leaf, err := second.Issue([]string{"a.example.com"}, "EC_prime256v1")
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(first)
	if _, err := leaf.X509.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: c.Now(), DNSName: "a.example.com"}); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(e.Name()) == ".key" && info.Mode().Perm() != 0o600 {
			t.Errorf("the key's mode is %v", info.Mode())
		}
	}
}

func TestUnreadableRootIsNotReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"ca.pem", "ca.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("not PEM"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ca.New(dir, clock.System{}).Root(); err == nil {
		t.Error("a broken root was taken or replaced")
	}
}

func TestUnknownAlgorithm(t *testing.T) {
	t.Parallel()
	if _, err := ca.New(t.TempDir(), clock.System{}).Issue([]string{"a"}, "DSA"); err == nil {
		t.Error("a certificate with a DSA key was issued")
	}
}

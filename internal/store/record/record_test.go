package record_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/store/sqlite"
)

type user struct {
	Name string
	Age  int `json:",omitempty"`
}

func open(t *testing.T) store.Store {
	t.Helper()
	s, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func update(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// names lists the records of All as their names.
func names(t *testing.T, c record.Collection[user], r store.ReadTx, prefix ...string) string {
	t.Helper()
	list, err := c.List(r, prefix...)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, u := range list {
		out = append(out, u.Name)
	}
	return strings.Join(out, " ")
}

func TestPutGetDelete(t *testing.T) {
	t.Parallel()
	users := record.New[user]("iam", "user")
	update(t, open(t), func(tx store.Tx) error {
		if u, err := users.Get(tx, "1", "ann"); u != nil || err != nil {
			t.Errorf("missing record: %v, %v, want nil, nil", u, err)
		}
		if err := errors.Join(
			users.Put(tx, &user{Name: "ann", Age: 1}, "1", "ann"),
			users.Put(tx, &user{Name: "ann", Age: 2}, "1", "ann"),
			users.Put(tx, &user{Name: "other ann"}, "2", "ann"),
		); err != nil {
			return err
		}
		if u, err := users.Get(tx, "1", "ann"); err != nil || u == nil || *u != (user{"ann", 2}) {
			t.Errorf("Get: %v, %v", u, err)
		}
		if err := errors.Join(users.Delete(tx, "1", "ann"), users.Delete(tx, "1", "nobody")); err != nil {
			return err
		}
		if u, err := users.Get(tx, "1", "ann"); u != nil || err != nil {
			t.Errorf("deleted record: %v, %v", u, err)
		}
		if got := names(t, users, tx); got != "other ann" {
			t.Errorf("left: %q", got)
		}
		return nil
	})
}

func TestOrderAndPrefixes(t *testing.T) {
	t.Parallel()
	users := record.New[user]("user")
	update(t, open(t), func(tx store.Tx) error {
		for _, id := range []string{"2/c", "1/b", "1/a", "12/d", "1/a!", "/e"} {
			account, name, _ := strings.Cut(id, "/")
			if err := users.Put(tx, &user{Name: name}, account, name); err != nil {
				return err
			}
		}
		for prefix, want := range map[string]string{"1": "a a! b", "12": "d", "": "e", "3": ""} {
			if got := names(t, users, tx, prefix); got != want {
				t.Errorf("prefix %q: %q, want %q", prefix, got, want)
			}
		}
		if got := names(t, users, tx); got != "e a a! b d c" {
			t.Errorf("all: %q", got)
		}
		for after, want := range map[string]string{"": "a a! b", "a": "a! b", "a+": "b", "b": "", "zz": ""} {
			var got []string
			for u, err := range users.After(tx, after, "1") {
				if err != nil {
					return err
				}
				got = append(got, u.Name)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("after %q: %q, want %q", after, got, want)
			}
		}
		if err := users.DeleteAll(tx, "1"); err != nil {
			return err
		}
		if got := names(t, users, tx); got != "e d c" {
			t.Errorf("after DeleteAll of account 1: %q", got)
		}
		return users.DeleteAll(tx)
	})
}

// TestCollectionsDoNotMeet: a name may continue another, or look like its ids.
func TestCollectionsDoNotMeet(t *testing.T) {
	t.Parallel()
	users, keys := record.New[user]("iam"), record.New[user]("iam", "key")
	update(t, open(t), func(tx store.Tx) error {
		if err := errors.Join(
			users.Put(tx, &user{Name: "user"}, "key", "1"),
			users.Put(tx, &user{Name: "nobody"}, "", "key"),
			keys.Put(tx, &user{Name: "key"}, "1"),
		); err != nil {
			return err
		}
		if got := names(t, users, tx); got != "nobody user" {
			t.Errorf("users: %q", got)
		}
		if got := names(t, keys, tx); got != "key" {
			t.Errorf("keys: %q", got)
		}
		if err := users.DeleteAll(tx); err != nil {
			return err
		}
		if got := names(t, keys, tx); got != "key" {
			t.Errorf("keys after the users are gone: %q", got)
		}
		return nil
	})
}

func TestDamagedRecordIsAnError(t *testing.T) {
	t.Parallel()
	users := record.New[user]("user")
	update(t, open(t), func(tx store.Tx) error {
		if err := errors.Join(
			users.Put(tx, &user{Name: "a"}, "a"),
			tx.Put(users.Key("b"), []byte("{")),
			users.Put(tx, &user{Name: "c"}, "c"),
		); err != nil {
			return err
		}
		if u, err := users.Get(tx, "b"); err == nil || !strings.Contains(err.Error(), `["user"] record ["b"]`) {
			t.Errorf("Get: %v, %v, want an error that names the record", u, err)
		}
		if list, err := users.List(tx); err == nil {
			t.Errorf("List: %v, want an error", list)
		}
		steps := 0
		for u, err := range users.All(tx) {
			if steps++; steps == 2 && (err == nil || u != nil) {
				t.Errorf("All: %v, %v, want an error", u, err)
			}
		}
		if steps != 2 {
			t.Errorf("All went on for %d steps, want an end at the error", steps)
		}
		return nil
	})
}

func TestUnencodableIsAnError(t *testing.T) {
	t.Parallel()
	functions := record.New[func()]("f")
	err := open(t).Update(t.Context(), func(tx store.Tx) error {
		fn := func() {}
		return functions.Put(tx, &fn, "x")
	})
	if err == nil || !strings.Contains(err.Error(), `encode ["f"] record ["x"]`) {
		t.Errorf("Put of a function: %v", err)
	}
}

func TestNameIsNeeded(t *testing.T) {
	t.Parallel()
	for _, name := range [][]string{nil, {""}, {"a", ""}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New(%q) did not panic", name)
				}
			}()
			record.New[user](name...)
		}()
	}
}

package route53_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/route53"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

const account = "000000000000"

type world struct {
	*route53.Service
	ctx  context.Context
	zone string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	w := &world{
		Service: route53.New(route53.Config{Store: st, Clock: clock.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))}),
		ctx:     wire.WithCaller(t.Context(), &wire.Caller{Account: account, Partition: "aws"}),
	}
	w.zone = w.create(t, "Example.COM")
	return w
}

func (w *world) create(t *testing.T, name string) string {
	t.Helper()
	out, err := w.CreateHostedZone(w.ctx, &route53api.CreateHostedZoneRequest{Name: &name, CallerReference: wire.Ptr("ref " + name)})
	if err != nil {
		t.Fatal(err)
	}
	return *out.HostedZone.Id
}

func set(name, kind string, values ...string) *route53api.ResourceRecordSet {
	s := &route53api.ResourceRecordSet{Name: &name, Type: &kind, TTL: wire.Ptr(int64(60))}
	for _, v := range values {
		s.ResourceRecords = append(s.ResourceRecords, route53api.ResourceRecord{Value: &v})
	}
	return s
}

func change(action string, s *route53api.ResourceRecordSet) route53api.Change {
	return route53api.Change{Action: &action, ResourceRecordSet: s}
}

func (w *world) change(changes ...route53api.Change) error {
	_, err := w.ChangeResourceRecordSets(w.ctx, &route53api.ChangeResourceRecordSetsRequest{HostedZoneId: &w.zone, ChangeBatch: &route53api.ChangeBatch{Changes: changes}})
	return err
}

// records lists a zone as "name type", a page of n at a time.
func (w *world) records(t *testing.T, n int) []string {
	t.Helper()
	var out []string
	in := &route53api.ListResourceRecordSetsRequest{HostedZoneId: &w.zone, MaxItems: wire.Ptr(fmt.Sprint(n))}
	for {
		page, err := w.ListResourceRecordSets(w.ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.ResourceRecordSets) > n {
			t.Fatalf("a page of %d holds %d", n, len(page.ResourceRecordSets))
		}
		for _, s := range page.ResourceRecordSets {
			out = append(out, *s.Name+" "+*s.Type)
		}
		if !*page.IsTruncated {
			return out
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = page.NextRecordName, page.NextRecordType, page.NextRecordIdentifier
	}
}

// TestOrder pins Route 53's order: labels from the last to the first, each
// with the dot that follows it (API Reference: ListResourceRecordSets).
func TestOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	err := w.change(
		change("CREATE", set("www.example.com", "A", "192.0.2.1")),
		change("CREATE", set("a.example.com", "AAAA", "2001:db8::1")),
		change("CREATE", set("a.example.com", "A", "192.0.2.1")),
		change("CREATE", set("z.a.example.com", "A", "192.0.2.1")),
		change("CREATE", set("a-b.example.com.", "A", "192.0.2.1")),
		change("CREATE", set("*.example.com", "A", "192.0.2.1")),
		change("CREATE", set("user@HOST.example.com", "TXT", `"x"`)),
	)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"example.com. NS", "example.com. SOA", `\052.example.com. A`, "a-b.example.com. A", "a.example.com. A", "a.example.com. AAAA",
		"z.a.example.com. A", `user\100host.example.com. TXT`, "www.example.com. A",
	}
	for _, n := range []int{1, 2, 300} {
		if got := w.records(t, n); !reflect.DeepEqual(got, want) {
			t.Errorf("in pages of %d:\n%q, want\n%q", n, got, want)
		}
	}
}

// TestBatchFaults: a batch is made whole or not at all, and says all that is
// wrong with it.
func TestBatchFaults(t *testing.T) {
	t.Parallel()
	alias := func(s *route53api.ResourceRecordSet) *route53api.ResourceRecordSet {
		s.AliasTarget = &route53api.AliasTarget{DNSName: wire.Ptr("x.example.com"), HostedZoneId: wire.Ptr("Z1"), EvaluateTargetHealth: wire.Ptr(false)}
		return s
	}
	const none = "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found "
	for name, tt := range map[string]struct {
		changes []route53api.Change
		faults  []string
	}{
		"exists": {
			[]route53api.Change{change("CREATE", set("have.example.com", "A", "192.0.2.1"))},
			[]string{"Tried to create resource record set [name='have.example.com.', type='A'] but it already exists"},
		},
		"absent": {
			[]route53api.Change{change("DELETE", set("no.example.com", "A", "192.0.2.1"))},
			[]string{"Tried to delete resource record set [name='no.example.com.', type='A'] but it was not found"},
		},
		"other values": {
			[]route53api.Change{change("DELETE", set("have.example.com", "A", "192.0.2.9"))},
			[]string{"Tried to delete resource record set [name='have.example.com.', type='A'] but the values provided do not match the current values"},
		},
		"two faults and a good change": {
			[]route53api.Change{
				change("CREATE", set("new.example.com", "A", "192.0.2.1")), change("CREATE", set("have.example.com", "A", "192.0.2.1")),
				change("DELETE", set("no.example.com", "A", "192.0.2.1")),
			},
			[]string{
				"Tried to create resource record set [name='have.example.com.', type='A'] but it already exists",
				"Tried to delete resource record set [name='no.example.com.', type='A'] but it was not found",
			},
		},
		"elsewhere": {
			[]route53api.Change{change("CREATE", set("www.example.org", "A", "192.0.2.1"))},
			[]string{"RRSet with DNS name www.example.org. is not permitted in zone example.com."},
		},
		"a longer word is not a subdomain": {
			[]route53api.Change{change("CREATE", set("myexample.com", "A", "192.0.2.1"))},
			[]string{"RRSet with DNS name myexample.com. is not permitted in zone example.com."},
		},
		"CNAME at the apex": {
			[]route53api.Change{change("CREATE", set("example.com", "CNAME", "x.example.com"))},
			[]string{"RRSet of type CNAME with DNS name example.com. is not permitted at apex in zone example.com."},
		},
		"CNAME beside another": {
			[]route53api.Change{change("UPSERT", set("have.example.com", "CNAME", "x.example.com"))},
			[]string{"RRSet of type CNAME with DNS name have.example.com. is not permitted because a conflicting RRSet of type A with the same DNS name already exists in zone example.com."},
		},
		"nothing in it": {
			[]route53api.Change{change("UPSERT", set("x.example.com", "A"))},
			[]string{none + "none in Change with [Action=UPSERT, Name=x.example.com., Type=A, SetIdentifier=null]"},
		},
		"both kinds of target": {
			[]route53api.Change{change("CREATE", alias(set("x.example.com", "A", "192.0.2.1")))},
			[]string{none + "more than one in Change with [Action=CREATE, Name=x.example.com., Type=A, SetIdentifier=null]"},
		},
		"not an address": {
			[]route53api.Change{change("CREATE", set("x.example.com", "A", "2001:db8::1"))},
			[]string{"Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '2001:db8::1''"},
		},
		"text without quotes": {
			[]route53api.Change{change("CREATE", set("x.example.com", "TXT", "x"))},
			[]string{"Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks) encountered with 'x''"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if err := w.change(change("CREATE", set("have.example.com", "A", "192.0.2.1"))); err != nil {
				t.Fatal(err)
			}
			before := w.records(t, 300)
			err := w.change(tt.changes...)
			var invalid *route53api.InvalidChangeBatch
			if !errors.As(err, &invalid) {
				t.Fatalf("answer %v", err)
			}
			if !reflect.DeepEqual(invalid.Messages, tt.faults) || *invalid.Message != "["+strings.Join(tt.faults, ", ")+"]" {
				t.Errorf("faults %q\nwant   %q", invalid.Messages, tt.faults)
			}
			if after := w.records(t, 300); !reflect.DeepEqual(after, before) {
				t.Errorf("a refused batch left %q, before %q", after, before)
			}
		})
	}
}

func TestChangesAreInSync(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out, err := w.ChangeResourceRecordSets(w.ctx, &route53api.ChangeResourceRecordSetsRequest{HostedZoneId: &w.zone, ChangeBatch: &route53api.ChangeBatch{
		Comment: wire.Ptr("why"),
		Changes: []route53api.Change{
			change("CREATE", set("a.example.com", "A", "192.0.2.1")), change("UPSERT", set("a.example.com", "A", "192.0.2.2")),
			change("UPSERT", set("b.example.com", "A", "192.0.2.2")), change("DELETE", set("a.example.com", "A", "192.0.2.2")),
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.GetChange(w.ctx, &route53api.GetChangeRequest{Id: out.ChangeInfo.Id})
	if err != nil || *got.ChangeInfo.Status != "INSYNC" || *got.ChangeInfo.Comment != "why" {
		t.Errorf("change %+v, %v", got.ChangeInfo, err)
	}
	if got, want := w.records(t, 300), []string{"example.com. NS", "example.com. SOA", "b.example.com. A"}; !reflect.DeepEqual(got, want) {
		t.Errorf("records %q, want %q", got, want)
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(t, "b.org")
	w.create(t, "a.org")
	list, err := w.ListHostedZonesByName(w.ctx, &route53api.ListHostedZonesByNameRequest{DNSName: wire.Ptr("a.org")})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, z := range list.HostedZones {
		names = append(names, *z.Name)
	}
	if want := []string{"a.org.", "b.org."}; !reflect.DeepEqual(names, want) {
		t.Errorf("zones from a.org on: %q, want %q", names, want)
	}
	_, err = w.CreateHostedZone(w.ctx, &route53api.CreateHostedZoneRequest{Name: wire.Ptr("c.org"), CallerReference: wire.Ptr("ref b.org")})
	var again *route53api.HostedZoneAlreadyExists
	if !errors.As(err, &again) {
		t.Errorf("a used caller reference: %v", err)
	}
	if err := w.change(change("CREATE", set("a.example.com", "A", "192.0.2.1"))); err != nil {
		t.Fatal(err)
	}
	_, err = w.DeleteHostedZone(w.ctx, &route53api.DeleteHostedZoneRequest{Id: &w.zone})
	var full *route53api.HostedZoneNotEmpty
	if !errors.As(err, &full) {
		t.Errorf("delete a zone with a record: %v", err)
	}
	if err := w.change(change("DELETE", set("a.example.com", "A", "192.0.2.1"))); err != nil {
		t.Fatal(err)
	}
	if _, err = w.DeleteHostedZone(w.ctx, &route53api.DeleteHostedZoneRequest{Id: &w.zone}); err != nil {
		t.Errorf("delete an empty zone: %v", err)
	}
	other := wire.WithCaller(t.Context(), &wire.Caller{Account: "111111111111", Partition: "aws"})
	if n, err := w.GetHostedZoneCount(other, &route53api.GetHostedZoneCountRequest{}); err != nil || *n.HostedZoneCount != 0 {
		t.Errorf("another account has %v zones, %v", *n.HostedZoneCount, err)
	}
}

// TestRequiredRecordsStay: a zone keeps its first NS and SOA.
func TestRequiredRecordsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page, err := w.ListResourceRecordSets(w.ctx, &route53api.ListResourceRecordSetsRequest{HostedZoneId: &w.zone})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"A HostedZone must contain at least one NS record for the zone itself.", "A HostedZone must contain exactly one SOA record.",
	} {
		err := w.change(change("DELETE", &page.ResourceRecordSets[i]))
		if _, _, _, text := wire.ErrorFacts(err); text != "["+want+"]" {
			t.Errorf("delete %s: %q", *page.ResourceRecordSets[i].Type, text)
		}
	}
}

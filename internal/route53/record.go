package route53

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// canonicalName is a domain name as Route 53 keeps it: lower case, with a
// trailing dot, anything but letters, digits, hyphen and underscore as \ooo
// (Developer Guide: "DNS domain name format").
func canonicalName(name string) string {
	var b strings.Builder
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		case c == '\\' && i+3 < len(name):
			b.WriteString(name[i : i+4])
			i += 3
		default:
			fmt.Fprintf(&b, "\\%03o", c)
		}
	}
	return b.String() + "."
}

// orderName turns a name around, so that comparing bytes gives Route 53's
// order: com, example.com, a.example.com.
func orderName(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

func recordID(set *route53api.ResourceRecordSet) []string {
	return []string{orderName(*set.Name), *set.Type, wire.Val(set.SetIdentifier)}
}

func putRecord(tx store.Tx, zoneID string, set *route53api.ResourceRecordSet) error {
	return records.Put(tx, set, append([]string{zoneID}, recordID(set)...)...)
}

func (z *zone) isDefault(set *route53api.ResourceRecordSet) bool {
	return *set.Name == z.Name && (*set.Type == route53api.RRTypeNS || *set.Type == route53api.RRTypeSOA)
}

// ChangeResourceRecordSets applies all changes or none.
func (s *Service) ChangeResourceRecordSets(ctx context.Context, in *route53api.ChangeResourceRecordSetsRequest) (*route53api.ChangeResourceRecordSetsResponse, error) {
	change := s.newChange(in.ChangeBatch.Comment)
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		z, err := getZone(ctx, tx, *in.HostedZoneId)
		if err != nil {
			return err
		}
		var faults []string
		for i := range in.ChangeBatch.Changes {
			fault, err := z.apply(tx, &in.ChangeBatch.Changes[i])
			if err != nil {
				return err
			}
			if fault != "" {
				faults = append(faults, fault)
			}
		}
		if len(faults) > 0 {
			return invalidBatch(faults)
		}
		return changes.Put(tx, change, account(ctx), bare(*change.Id))
	})
	return &route53api.ChangeResourceRecordSetsResponse{ChangeInfo: change}, err
}

// invalidBatch reports every fault of a batch, as Route 53 does: in brackets.
func invalidBatch(faults []string) error {
	return &route53api.InvalidChangeBatch{Messages: faults, Message: wire.Ptr("[" + strings.Join(faults, ", ") + "]")}
}

// apply makes one change; fault is what is wrong with it, or "".
func (z *zone) apply(tx store.Tx, c *route53api.Change) (fault string, err error) {
	set := *c.ResourceRecordSet
	set.Name = wire.Ptr(canonicalName(*set.Name))
	if set.AliasTarget != nil {
		target := *set.AliasTarget
		target.DNSName = wire.Ptr(canonicalName(*target.DNSName))
		set.AliasTarget = &target
	}
	if fault := z.check(*c.Action, &set); fault != "" {
		return fault, nil
	}
	id := append([]string{z.ID}, recordID(&set)...)
	have, err := records.Get(tx, id...)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("[name='%s', type='%s']", *set.Name, *set.Type)
	if set.SetIdentifier != nil {
		name = fmt.Sprintf("[name='%s', type='%s', set identifier='%s']", *set.Name, *set.Type, *set.SetIdentifier)
	}
	switch *c.Action {
	case route53api.ChangeActionDELETE:
		switch {
		case have == nil:
			return "Tried to delete resource record set " + name + " but it was not found", nil
		case z.isDefault(&set):
			if *set.Type == route53api.RRTypeNS {
				return "A HostedZone must contain at least one NS record for the zone itself.", nil
			}
			return "A HostedZone must contain exactly one SOA record.", nil
		case !reflect.DeepEqual(have, &set):
			return "Tried to delete resource record set " + name + " but the values provided do not match the current values", nil
		}
		return "", records.Delete(tx, id...)
	case route53api.ChangeActionCREATE:
		if have != nil {
			return "Tried to create resource record set " + name + " but it already exists", nil
		}
	}
	if fault, err := z.conflicts(tx, &set); fault != "" || err != nil {
		return fault, err
	}
	return "", putRecord(tx, z.ID, &set)
}

// check looks at a record set alone.
func (z *zone) check(action string, set *route53api.ResourceRecordSet) string {
	switch {
	case *set.Name != z.Name && !strings.HasSuffix(*set.Name, "."+z.Name):
		return fmt.Sprintf("RRSet with DNS name %s is not permitted in zone %s", *set.Name, z.Name)
	case set.AliasTarget == nil && (set.TTL == nil || len(set.ResourceRecords) == 0):
		return fmt.Sprintf("Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with [Action=%s, Name=%s, Type=%s, SetIdentifier=%s]",
			action, *set.Name, *set.Type, or(wire.Val(set.SetIdentifier), "null"))
	case set.AliasTarget != nil && (set.TTL != nil || len(set.ResourceRecords) > 0):
		return fmt.Sprintf("Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found more than one in Change with [Action=%s, Name=%s, Type=%s, SetIdentifier=%s]",
			action, *set.Name, *set.Type, or(wire.Val(set.SetIdentifier), "null"))
	case *set.Type == route53api.RRTypeCNAME && *set.Name == z.Name:
		return fmt.Sprintf("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s", *set.Name, z.Name)
	}
	for _, r := range set.ResourceRecords {
		if fault := checkValue(*set.Type, wire.Val(r.Value)); fault != "" {
			return fault
		}
	}
	return ""
}

// conflicts looks for a CNAME beside another record of the same name.
func (z *zone) conflicts(r store.ReadTx, set *route53api.ResourceRecordSet) (string, error) {
	for other, err := range records.All(r, z.ID, orderName(*set.Name)) {
		if err != nil {
			return "", err
		}
		switch {
		case *other.Type != *set.Type && (*other.Type == route53api.RRTypeCNAME || *set.Type == route53api.RRTypeCNAME):
			return fmt.Sprintf("RRSet of type %s with DNS name %s is not permitted because a conflicting RRSet of type %s with the same DNS name already exists in zone %s",
				*set.Type, *set.Name, *other.Type, z.Name), nil
		case *other.Type == *set.Type && (other.SetIdentifier == nil) != (set.SetIdentifier == nil):
			return fmt.Sprintf("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created as a non multi-answer rrset exists with the same name and type.",
				*set.Name, *set.Type, or(wire.Val(set.SetIdentifier), "null")), nil
		}
	}
	return "", nil
}

// ListResourceRecordSets lists records in Route 53's order: by the name from
// its last label to its first, then by type.
func (s *Service) ListResourceRecordSets(ctx context.Context, in *route53api.ListResourceRecordSetsRequest) (*route53api.ListResourceRecordSetsResponse, error) {
	limit := 300
	if in.MaxItems != nil {
		n, err := strconv.Atoi(*in.MaxItems)
		if err != nil || n < 1 {
			return nil, &route53api.InvalidInput{Message: wire.Ptr("MaxItems must be a positive integer")}
		}
		limit = min(n, 300)
	}
	if in.StartRecordType != nil && in.StartRecordName == nil {
		return nil, &route53api.InvalidInput{Message: wire.Ptr("The input is not valid: StartRecordType was given without StartRecordName")}
	}
	var from []string
	if in.StartRecordName != nil {
		from = []string{orderName(canonicalName(*in.StartRecordName)), wire.Val(in.StartRecordType), wire.Val(in.StartRecordIdentifier)}
	}
	out := &route53api.ListResourceRecordSetsResponse{IsTruncated: wire.Ptr(false), MaxItems: wire.Ptr(strconv.Itoa(limit))}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		out.ResourceRecordSets = []route53api.ResourceRecordSet{}
		z, err := getZone(ctx, r, *in.HostedZoneId)
		if err != nil {
			return err
		}
		for set, err := range records.All(r, z.ID) {
			if err != nil {
				return err
			}
			if from != nil && slices.Compare(recordID(set), from) < 0 {
				continue
			}
			if len(out.ResourceRecordSets) == limit {
				out.IsTruncated, out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier = wire.Ptr(true), set.Name, set.Type, set.SetIdentifier
				return nil
			}
			out.ResourceRecordSets = append(out.ResourceRecordSets, *set)
		}
		return nil
	})
	return out, err
}

// HasCNAME reports whether any of the account's zones has the CNAME record:
// what ACM looks for to validate a domain.
func (s *Service) HasCNAME(ctx context.Context, account, name, value string) (bool, error) {
	found := false
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		for z, err := range zones.All(r, account) {
			if err != nil {
				return err
			}
			set, err := records.Get(r, z.ID, orderName(canonicalName(name)), route53api.RRTypeCNAME, "")
			if err != nil {
				return err
			}
			if set != nil && len(set.ResourceRecords) > 0 && canonicalName(*set.ResourceRecords[0].Value) == canonicalName(value) {
				found = true
			}
		}
		return nil
	})
	return found, err
}

func or(a, b string) string { return cmp.Or(a, b) }

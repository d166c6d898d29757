package route53

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// CreateHostedZone makes a public zone with its NS and SOA records.
func (s *Service) CreateHostedZone(ctx context.Context, in *route53api.CreateHostedZoneRequest) (*route53api.CreateHostedZoneResponse, error) {
	name := canonicalName(*in.Name)
	if err := checkDomain(*in.Name); err != nil {
		return nil, err
	}
	z := &zone{ID: "Z" + ident.Upper(20), Name: name, Reference: *in.CallerReference, NameServers: nameServers()}
	if in.HostedZoneConfig != nil {
		z.Comment = in.HostedZoneConfig.Comment
	}
	change := s.newChange(nil)
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		for other, err := range zones.All(tx, account(ctx)) {
			if err != nil {
				return err
			}
			if other.Reference == z.Reference {
				return &route53api.HostedZoneAlreadyExists{Message: wire.Ptr(
					"A hosted zone has already been created with the specified caller reference.")}
			}
		}
		for _, set := range z.defaults() {
			if err := putRecord(tx, z.ID, set); err != nil {
				return err
			}
		}
		return cmp.Or(zones.Put(tx, z, account(ctx), z.ID), changes.Put(tx, change, account(ctx), bare(*change.Id)))
	})
	if err != nil {
		return nil, err
	}
	return &route53api.CreateHostedZoneResponse{
		HostedZone: z.answer(2), ChangeInfo: change, DelegationSet: &route53api.DelegationSet{NameServers: z.NameServers},
		Location: wire.Ptr("https://route53.amazonaws.com/2013-04-01/hostedzone/" + z.ID),
	}, nil
}

// nameServers are four names in AWS's pattern; butai serves no DNS on them.
func nameServers() []string {
	tlds := [4]string{"com", "net", "org", "co.uk"}
	out := make([]string, len(tlds))
	for i, tld := range tlds {
		n := int(ident.Float64() * 512)
		out[i] = fmt.Sprintf("ns-%d.awsdns-%02d.%s", 512*i+n, n/8, tld)
	}
	return out
}

func checkDomain(name string) error {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 {
			return &route53api.InvalidDomainName{Message: wire.Ptr(name + " is not a valid domain name")}
		}
	}
	return nil
}

// defaults are the records that every zone begins with and keeps.
func (z *zone) defaults() []*route53api.ResourceRecordSet {
	ns := &route53api.ResourceRecordSet{Name: &z.Name, Type: wire.Ptr(route53api.RRTypeNS), TTL: wire.Ptr(int64(172800))}
	for _, server := range z.NameServers {
		ns.ResourceRecords = append(ns.ResourceRecords, route53api.ResourceRecord{Value: wire.Ptr(server + ".")})
	}
	soa := z.NameServers[0] + ". awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
	return []*route53api.ResourceRecordSet{ns, {
		Name: &z.Name, Type: wire.Ptr(route53api.RRTypeSOA), TTL: wire.Ptr(int64(900)),
		ResourceRecords: []route53api.ResourceRecord{{Value: &soa}},
	}}
}

func (z *zone) answer(count int64) *route53api.HostedZone {
	return &route53api.HostedZone{
		Id: wire.Ptr("/hostedzone/" + z.ID), Name: &z.Name, CallerReference: &z.Reference,
		Config: &route53api.HostedZoneConfig{Comment: z.Comment, PrivateZone: wire.Ptr(false)}, ResourceRecordSetCount: &count,
	}
}

func (s *Service) newChange(comment *string) *route53api.ChangeInfo {
	at := s.Clock.Now().Truncate(time.Millisecond)
	return &route53api.ChangeInfo{
		Id: wire.Ptr("/change/C" + ident.Upper(20)), Status: wire.Ptr(route53api.ChangeStatusINSYNC), SubmittedAt: &at, Comment: comment,
	}
}

// GetChange returns a change, which is always in sync.
func (s *Service) GetChange(ctx context.Context, in *route53api.GetChangeRequest) (*route53api.GetChangeResponse, error) {
	var change *route53api.ChangeInfo
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		change, err = changes.Get(r, account(ctx), bare(*in.Id))
		return err
	})
	if err == nil && change == nil {
		err = &route53api.NoSuchChange{Message: wire.Ptr("Could not find resource with ID: " + bare(*in.Id))}
	}
	return &route53api.GetChangeResponse{ChangeInfo: change}, err
}

func count(r store.ReadTx, zoneID string) (n int64, err error) {
	for _, err := range records.All(r, zoneID) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// GetHostedZone returns a zone and its name servers.
func (s *Service) GetHostedZone(ctx context.Context, in *route53api.GetHostedZoneRequest) (*route53api.GetHostedZoneResponse, error) {
	out := &route53api.GetHostedZoneResponse{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		z, err := getZone(ctx, r, *in.Id)
		if err != nil {
			return err
		}
		n, err := count(r, z.ID)
		out.HostedZone, out.DelegationSet = z.answer(n), &route53api.DelegationSet{NameServers: z.NameServers}
		return err
	})
	return out, err
}

// GetHostedZoneCount counts the account's zones.
func (s *Service) GetHostedZoneCount(ctx context.Context, _ *route53api.GetHostedZoneCountRequest) (*route53api.GetHostedZoneCountResponse, error) {
	all, err := s.allZones(ctx)
	return &route53api.GetHostedZoneCountResponse{HostedZoneCount: wire.Ptr(int64(len(all)))}, err
}

func (s *Service) allZones(ctx context.Context) (out []route53api.HostedZone, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		out = []route53api.HostedZone{}
		for z, err := range zones.All(r, account(ctx)) {
			if err != nil {
				return err
			}
			n, err := count(r, z.ID)
			if err != nil {
				return err
			}
			out = append(out, *z.answer(n))
		}
		return nil
	})
	return out, err
}

// maxItems reads Route 53's textual MaxItems, 100 by default and at most.
func maxItems(text *string) (int, error) {
	if text == nil {
		return 100, nil
	}
	n, err := strconv.Atoi(*text)
	if err != nil || n < 1 {
		return 0, &route53api.InvalidInput{Message: wire.Ptr("MaxItems must be a positive integer")}
	}
	return min(n, 100), nil
}

// ListHostedZones lists zones by id.
func (s *Service) ListHostedZones(ctx context.Context, in *route53api.ListHostedZonesRequest) (*route53api.ListHostedZonesResponse, error) {
	limit, err := maxItems(in.MaxItems)
	if err != nil {
		return nil, err
	}
	all, err := s.allZones(ctx)
	if err != nil {
		return nil, err
	}
	if wire.Val(in.HostedZoneType) != "" {
		all = all[:0] // the only type to ask for is PrivateHostedZone, of which there are none
	}
	if in.Marker != nil {
		all = slices.DeleteFunc(all, func(z route53api.HostedZone) bool { return bare(*z.Id) < bare(*in.Marker) })
	}
	out := &route53api.ListHostedZonesResponse{HostedZones: all, Marker: in.Marker, IsTruncated: wire.Ptr(len(all) > limit), MaxItems: wire.Ptr(strconv.Itoa(limit))}
	if len(all) > limit {
		out.HostedZones, out.NextMarker = all[:limit], wire.Ptr(bare(*all[limit].Id))
	}
	return out, nil
}

// ListHostedZonesByName lists zones by their names, most significant label
// first.
func (s *Service) ListHostedZonesByName(ctx context.Context, in *route53api.ListHostedZonesByNameRequest) (*route53api.ListHostedZonesByNameResponse, error) {
	limit, err := maxItems(in.MaxItems)
	if err != nil {
		return nil, err
	}
	all, err := s.allZones(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b route53api.HostedZone) int {
		return cmp.Or(strings.Compare(orderName(*a.Name), orderName(*b.Name)), strings.Compare(*a.Id, *b.Id))
	})
	if in.DNSName != nil {
		from := orderName(canonicalName(*in.DNSName))
		all = slices.DeleteFunc(all, func(z route53api.HostedZone) bool {
			c := strings.Compare(orderName(*z.Name), from)
			return c < 0 || c == 0 && in.HostedZoneId != nil && bare(*z.Id) < bare(*in.HostedZoneId)
		})
	}
	out := &route53api.ListHostedZonesByNameResponse{HostedZones: all, DNSName: in.DNSName, HostedZoneId: in.HostedZoneId,
		IsTruncated: wire.Ptr(len(all) > limit), MaxItems: wire.Ptr(strconv.Itoa(limit))}
	if len(all) > limit {
		out.HostedZones, out.NextDNSName, out.NextHostedZoneId = all[:limit], all[limit].Name, wire.Ptr(bare(*all[limit].Id))
	}
	return out, nil
}

// UpdateHostedZoneComment changes a zone's comment.
func (s *Service) UpdateHostedZoneComment(ctx context.Context, in *route53api.UpdateHostedZoneCommentRequest) (*route53api.UpdateHostedZoneCommentResponse, error) {
	out := &route53api.UpdateHostedZoneCommentResponse{}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		z, err := getZone(ctx, tx, *in.Id)
		if err != nil {
			return err
		}
		z.Comment = in.Comment
		n, err := count(tx, z.ID)
		out.HostedZone = z.answer(n)
		return cmp.Or(err, zones.Put(tx, z, account(ctx), z.ID))
	})
	return out, err
}

// DeleteHostedZone deletes a zone that holds only its first NS and SOA.
func (s *Service) DeleteHostedZone(ctx context.Context, in *route53api.DeleteHostedZoneRequest) (*route53api.DeleteHostedZoneResponse, error) {
	change := s.newChange(nil)
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		z, err := getZone(ctx, tx, *in.Id)
		if err != nil {
			return err
		}
		for set, err := range records.All(tx, z.ID) {
			if err != nil {
				return err
			}
			if !z.isDefault(set) {
				return &route53api.HostedZoneNotEmpty{Message: wire.Ptr(
					"The specified hosted zone contains non-required resource record sets and so cannot be deleted.")}
			}
		}
		return cmp.Or(records.DeleteAll(tx, z.ID), zones.Delete(tx, account(ctx), z.ID), changes.Put(tx, change, account(ctx), bare(*change.Id)))
	})
	return &route53api.DeleteHostedZoneResponse{ChangeInfo: change}, err
}

// GetDNSSEC answers that a zone isn't signed.
func (s *Service) GetDNSSEC(ctx context.Context, in *route53api.GetDNSSECRequest) (*route53api.GetDNSSECResponse, error) {
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		_, err := getZone(ctx, r, *in.HostedZoneId)
		return err
	})
	return &route53api.GetDNSSECResponse{Status: &route53api.DNSSECStatus{ServeSignature: wire.Ptr("NOT_SIGNING")}, KeySigningKeys: []route53api.KeySigningKey{}}, err
}

// Package route53 is Amazon Route 53: public hosted zones and their records.
// Changes are in sync as soon as they are answered.
package route53

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Config is what New needs; every field is required.
type Config struct {
	Store store.Store
	Clock clock.Clock
}

// Service implements Route 53, which has no regions.
type Service struct {
	Config
}

// New returns the service.
func New(cfg Config) *Service { return &Service{cfg} }

// The operations that Service offers.
var _ interface {
	route53api.ChangeResourceRecordSetsAPI
	route53api.ChangeTagsForResourceAPI
	route53api.CreateHostedZoneAPI
	route53api.DeleteHostedZoneAPI
	route53api.GetChangeAPI
	route53api.GetDNSSECAPI
	route53api.GetHostedZoneAPI
	route53api.GetHostedZoneCountAPI
	route53api.ListHostedZonesAPI
	route53api.ListHostedZonesByNameAPI
	route53api.ListResourceRecordSetsAPI
	route53api.ListTagsForResourceAPI
	route53api.UpdateHostedZoneCommentAPI
} = (*Service)(nil)

// Refused lists the parameters whose effect isn't built.
func (s *Service) Refused() []wire.Refusal {
	return []wire.Refusal{
		{Operation: "CreateHostedZone", Member: "VPC", Reason: "private hosted zones"},
		{Operation: "CreateHostedZone", Member: "DelegationSetId", Reason: "reusable delegation sets"},
		{Operation: "CreateHostedZone", Member: "HostedZoneConfig.PrivateZone", Reason: "private hosted zones"},
		{Operation: "ListHostedZones", Member: "DelegationSetId", Reason: "reusable delegation sets"},
		{Operation: "ChangeResourceRecordSets", Member: "ChangeBatch.Changes.ResourceRecordSet.HealthCheckId", Reason: "health checks"},
		{Operation: "ChangeResourceRecordSets", Member: "ChangeBatch.Changes.ResourceRecordSet.TrafficPolicyInstanceId", Reason: "traffic policies"},
		{Operation: "ChangeResourceRecordSets", Member: "ChangeBatch.Changes.ResourceRecordSet.CidrRoutingConfig", Reason: "CIDR routing"},
		{Operation: "ChangeResourceRecordSets", Member: "ChangeBatch.Changes.ResourceRecordSet.GeoProximityLocation", Reason: "geoproximity routing"},
	}
}

var (
	zones   = record.New[zone]("route53", "zone")
	records = record.New[route53api.ResourceRecordSet]("route53", "record")
	changes = record.New[route53api.ChangeInfo]("route53", "change")
)

// zone is a hosted zone as it is stored, by account and bare id.
type zone struct {
	ID          string
	Name        string // with the trailing dot
	Reference   string
	Comment     *string `json:",omitzero"`
	NameServers []string
	Tags        []route53api.Tag `json:",omitzero"`
}

func account(ctx context.Context) string { return wire.CallerFrom(ctx).Account }

// bare strips the prefix that ids have in answers.
func bare(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

func getZone(ctx context.Context, r store.ReadTx, id string) (*zone, error) {
	z, err := zones.Get(r, account(ctx), bare(id))
	if err == nil && z == nil {
		err = &route53api.NoSuchHostedZone{Message: wire.Ptr("No hosted zone found with ID: " + bare(id))}
	}
	return z, err
}

// zoneARN is the ARN of a zone; it has neither region nor account.
func zoneARN(id string) string { return "arn:aws:route53:::hostedzone/" + bare(id) }

// IAMTargets names the zone that a call is about.
func (s *Service) IAMTargets(_ context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	target := wire.IAMTarget{Action: "route53:" + op.Name, Resource: "*"}
	switch in := in.(type) {
	case *route53api.GetHostedZoneRequest:
		target.Resource = zoneARN(*in.Id)
	case *route53api.DeleteHostedZoneRequest:
		target.Resource = zoneARN(*in.Id)
	case *route53api.UpdateHostedZoneCommentRequest:
		target.Resource = zoneARN(*in.Id)
	case *route53api.ChangeResourceRecordSetsRequest:
		target.Resource = zoneARN(*in.HostedZoneId)
	case *route53api.ListResourceRecordSetsRequest:
		target.Resource = zoneARN(*in.HostedZoneId)
	case *route53api.GetDNSSECRequest:
		target.Resource = zoneARN(*in.HostedZoneId)
	case *route53api.ListTagsForResourceRequest:
		target.Resource = zoneARN(*in.ResourceId)
	case *route53api.ChangeTagsForResourceRequest:
		target.Resource = zoneARN(*in.ResourceId)
	case *route53api.GetChangeRequest:
		target.Resource = "arn:aws:route53:::change/" + bare(*in.Id)
	}
	return []wire.IAMTarget{target}
}

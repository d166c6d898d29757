package logs

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// group is a log group as it is stored. Its streams and batches hang on the
// id, so that a group made again under an old name starts empty.
type group struct {
	ID        string
	Name      string
	Created   int64             // ms
	Retention int64             `json:",omitzero"` // days; 0 is forever
	Tags      map[string]string `json:",omitzero"`
	Bytes     int64             // of the events, as AWS counts
	Key       string            `json:",omitzero"` // ARN of the key of KMS that new events are encrypted with
}

func (g *group) answer(p place) logsapi.LogGroup {
	arn := p.plainARN(g.Name)
	out := logsapi.LogGroup{
		LogGroupName: &g.Name, CreationTime: &g.Created,
		Arn: wire.Ptr(arn + ":*"), LogGroupArn: &arn, StoredBytes: &g.Bytes,
		LogGroupClass: wire.Ptr(logsapi.LogGroupClassSTANDARD),
	}
	if g.Retention > 0 {
		out.RetentionInDays = &g.Retention
	}
	if g.Key != "" {
		out.KmsKeyId = &g.Key
	}
	return out
}

func getGroup(r store.ReadTx, p place, name string) (*group, error) {
	g, err := groups.Get(r, p.account, p.region, name)
	if err == nil && g == nil {
		err = notFound("log group")
	}
	return g, err
}

// editGroup changes one group in place.
func (s *Service) editGroup(ctx context.Context, name string, fn func(*group) error) error {
	p := placeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		g, err := getGroup(tx, p, name)
		if err != nil {
			return err
		}
		if err := fn(g); err != nil {
			return err
		}
		return groups.Put(tx, g, p.account, p.region, name)
	})
}

// CreateLogGroup makes a log group.
func (s *Service) CreateLogGroup(ctx context.Context, in *logsapi.CreateLogGroupRequest) error {
	if class := wire.Val(in.LogGroupClass); class != "" && class != logsapi.LogGroupClassSTANDARD {
		return wire.NotBuilt("log groups of class %s", class)
	}
	if strings.HasPrefix(strings.ToLower(*in.LogGroupName), "aws/") {
		return invalid("Log groups starting with AWS/ are reserved for AWS.")
	}
	p := placeOf(ctx)
	g := s.newGroup(*in.LogGroupName)
	var err error
	if g.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return err
	}
	if g.Key = wire.Val(in.KmsKeyId); in.KmsKeyId != nil {
		if err := s.checkKey(ctx, g.Key, p.plainARN(g.Name)); err != nil {
			return err
		}
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := groups.Get(tx, p.account, p.region, g.Name)
		if err != nil {
			return err
		}
		if have != nil {
			return alreadyExists("log group")
		}
		return groups.Put(tx, g, p.account, p.region, g.Name)
	})
}

func (s *Service) newGroup(name string) *group {
	return &group{ID: ident.Hex(8), Name: name, Created: s.Clock.Now().UnixMilli()}
}

// DeleteLogGroup deletes a group with its streams and events. What was put
// before is stored first, or it would make the group anew a moment later.
func (s *Service) DeleteLogGroup(ctx context.Context, in *logsapi.DeleteLogGroupRequest) error {
	if err := s.Flush(ctx); err != nil {
		return err
	}
	p := placeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		g, err := getGroup(tx, p, *in.LogGroupName)
		if err != nil {
			return err
		}
		if err := streams.DeleteAll(tx, p.account, p.region, g.ID); err != nil {
			return err
		}
		if err := tx.DeleteRange(batchRange(p, g.ID)); err != nil {
			return err
		}
		if err := metricFilters.DeleteAll(tx, p.account, p.region, g.ID); err != nil {
			return err
		}
		if err := subscriptions.DeleteAll(tx, p.account, p.region, g.ID); err != nil {
			return err
		}
		return groups.Delete(tx, p.account, p.region, g.Name)
	})
}

// DescribeLogGroups lists groups by name.
func (s *Service) DescribeLogGroups(ctx context.Context, in *logsapi.DescribeLogGroupsRequest) (*logsapi.DescribeLogGroupsResponse, error) {
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &logsapi.DescribeLogGroupsResponse{LogGroups: []logsapi.LogGroup{}}
	limit := limitOr(in.Limit, 50)
	p := placeOf(ctx)
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		out.LogGroups, out.NextToken = out.LogGroups[:0], nil
		for g, err := range groups.After(r, after, p.account, p.region) {
			switch {
			case err != nil:
				return err
			case !wanted(in, g):
			case len(out.LogGroups) == limit:
				out.NextToken = paging.Token(*out.LogGroups[limit-1].LogGroupName)
				return nil
			default:
				filters, err := metricFilters.List(r, p.account, p.region, g.ID)
				if err != nil {
					return err
				}
				answer := g.answer(p)
				answer.MetricFilterCount = wire.Ptr(int64(len(filters)))
				out.LogGroups = append(out.LogGroups, answer)
			}
		}
		return nil
	})
	return out, err
}

func wanted(in *logsapi.DescribeLogGroupsRequest, g *group) bool {
	if class := wire.Val(in.LogGroupClass); class != "" && class != logsapi.LogGroupClassSTANDARD {
		return false
	}
	if in.LogGroupIdentifiers != nil && !slices.ContainsFunc(in.LogGroupIdentifiers, func(id string) bool { return groupName(id) == g.Name }) {
		return false
	}
	return strings.HasPrefix(g.Name, wire.Val(in.LogGroupNamePrefix)) && strings.Contains(g.Name, wire.Val(in.LogGroupNamePattern))
}

// retentionDays are the periods that PutRetentionPolicy takes (API Reference).
func retentionDays() []int64 {
	return []int64{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

// PutRetentionPolicy sets after how many days events expire.
func (s *Service) PutRetentionPolicy(ctx context.Context, in *logsapi.PutRetentionPolicyRequest) error {
	days := *in.RetentionInDays
	if !slices.Contains(retentionDays(), days) {
		var all []string
		for _, d := range retentionDays() {
			all = append(all, strconv.FormatInt(d, 10))
		}
		return invalid("1 validation error detected: Value '" + strconv.FormatInt(days, 10) +
			"' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [" + strings.Join(all, ", ") + "]")
	}
	return s.editGroup(ctx, *in.LogGroupName, func(g *group) error {
		g.Retention = days
		return nil
	})
}

// DeleteRetentionPolicy makes a group's events never expire.
func (s *Service) DeleteRetentionPolicy(ctx context.Context, in *logsapi.DeleteRetentionPolicyRequest) error {
	return s.editGroup(ctx, *in.LogGroupName, func(g *group) error {
		g.Retention = 0
		return nil
	})
}

// maxTags is the quota of tags per log group.
const maxTags = 50

func mergeTags(have, add map[string]string) (map[string]string, error) {
	out := maps.Clone(have)
	if out == nil {
		out = map[string]string{}
	}
	for key, value := range add {
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, invalid("Tag keys that start with aws: are reserved for system use.")
		}
		out[key] = value
	}
	if len(out) > maxTags {
		return nil, &logsapi.TooManyTagsException{Message: wire.Ptr("The resource already has the maximum number of tags: 50")}
	}
	return out, nil
}

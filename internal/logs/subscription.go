package logs

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/logs/pattern"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

var subscriptions = record.New[logsapi.SubscriptionFilter]("logs", "subscription") // account, region, id of the group, name

// maxSubscriptions is the quota of a group.
const maxSubscriptions = 2

// Functions calls the functions that log groups are subscribed to.
type Functions interface {
	// MayDeliver reports whether CloudWatch Logs may call a function for a log
	// group, both named by their ARNs.
	MayDeliver(functionARN, groupARN, account string) bool
	// Deliver queues a call of the function.
	Deliver(ctx context.Context, functionARN, groupARN, account string, payload []byte) error
}

// DeliverTo sets who calls functions; it comes before the first request.
func (s *Service) DeliverTo(f Functions) { s.functions.Store(&f) }

// PutSubscriptionFilter makes a group's coming events go to a function too.
func (s *Service) PutSubscriptionFilter(ctx context.Context, in *logsapi.PutSubscriptionFilterRequest) error {
	if _, err := pattern.Parse(*in.FilterPattern); err != nil {
		return invalid("Invalid filter pattern: " + err.Error())
	}
	a, err := arn.Parse(*in.DestinationArn)
	switch {
	case err != nil:
		return invalid("Invalid destinationArn: " + *in.DestinationArn)
	case a.Service != "lambda":
		return wire.NotBuilt("subscription filters to %s; functions can be subscribed", a.Service)
	case in.RoleArn != nil:
		return invalid("destinationArn for vendor lambda cannot be used with roleArn")
	}
	p := placeOf(ctx)
	f := &logsapi.SubscriptionFilter{
		FilterName: in.FilterName, LogGroupName: in.LogGroupName, FilterPattern: in.FilterPattern, DestinationArn: in.DestinationArn,
		Distribution: wire.Ptr("ByLogStream"), ApplyOnTransformedLogs: wire.Ptr(false), CreationTime: wire.Ptr(s.Clock.Now().UnixMilli()),
	}
	if in.Distribution != nil {
		f.Distribution = in.Distribution
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		g, err := getGroup(tx, p, *in.LogGroupName)
		if err != nil {
			return err
		}
		functions := s.functions.Load()
		if functions == nil || !(*functions).MayDeliver(*in.DestinationArn, p.groupARN(g.Name), p.account) {
			return invalid("Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.")
		}
		have, err := subscriptions.List(tx, p.account, p.region, g.ID)
		if err != nil {
			return err
		}
		replaced := slices.ContainsFunc(have, func(f *logsapi.SubscriptionFilter) bool { return *f.FilterName == *in.FilterName })
		if len(have) >= maxSubscriptions && !replaced {
			return limitExceeded()
		}
		return subscriptions.Put(tx, f, p.account, p.region, g.ID, *in.FilterName)
	})
}

// groupARN is the ARN of a group's events, with :* at its end.
func (p place) groupARN(name string) string { return p.arn("log-group:" + name + ":*") }

// DescribeSubscriptionFilters lists a group's subscription filters.
func (s *Service) DescribeSubscriptionFilters(ctx context.Context, in *logsapi.DescribeSubscriptionFiltersRequest) (*logsapi.DescribeSubscriptionFiltersResponse, error) {
	p := placeOf(ctx)
	out := &logsapi.DescribeSubscriptionFiltersResponse{SubscriptionFilters: []logsapi.SubscriptionFilter{}}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	limit := limitOr(in.Limit, 50)
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		g, err := getGroup(r, p, *in.LogGroupName)
		if err != nil {
			return err
		}
		for f, err := range subscriptions.After(r, after, p.account, p.region, g.ID) {
			switch {
			case err != nil:
				return err
			case !strings.HasPrefix(*f.FilterName, wire.Val(in.FilterNamePrefix)):
			case len(out.SubscriptionFilters) == limit:
				out.NextToken = paging.Token(*out.SubscriptionFilters[limit-1].FilterName)
				return nil
			default:
				out.SubscriptionFilters = append(out.SubscriptionFilters, *f)
			}
		}
		return nil
	})
	return out, err
}

// DeleteSubscriptionFilter deletes a subscription filter.
func (s *Service) DeleteSubscriptionFilter(ctx context.Context, in *logsapi.DeleteSubscriptionFilterRequest) error {
	p := placeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		g, err := getGroup(tx, p, *in.LogGroupName)
		if err != nil {
			return err
		}
		have, err := subscriptions.Get(tx, p.account, p.region, g.ID, *in.FilterName)
		if err == nil && have == nil {
			err = notFound("subscription filter")
		}
		if err != nil {
			return err
		}
		return subscriptions.Delete(tx, p.account, p.region, g.ID, *in.FilterName)
	})
}

// delivery is what a subscribed function is called with (CloudWatch Logs User
// Guide, "Log group-level subscription filters").
type delivery struct {
	MessageType         string          `json:"messageType"`
	Owner               string          `json:"owner"`
	LogGroup            string          `json:"logGroup"`
	LogStream           string          `json:"logStream"`
	SubscriptionFilters []string        `json:"subscriptionFilters"`
	LogEvents           []deliveryEvent `json:"logEvents"`
}

type deliveryEvent struct {
	ID        string `json:"id"`
	Timestamp int64  `json:"timestamp"`
	Message   string `json:"message"`
}

// deliver queues the matching events for a subscribed function.
func (s *Service) deliver(ctx context.Context, f *logsapi.SubscriptionFilter, to address, events []event) {
	match, err := pattern.Parse(*f.FilterPattern)
	functions := s.functions.Load()
	if err != nil || functions == nil {
		return
	}
	d := delivery{
		MessageType: "DATA_MESSAGE", Owner: to.account, LogGroup: to.group, LogStream: to.stream, SubscriptionFilters: []string{*f.FilterName},
	}
	for i, e := range events {
		if match.Matches(e.message) {
			id := position{ts: e.ts, batch: s.sink.sequence, index: i}
			d.LogEvents = append(d.LogEvents, deliveryEvent{id.String(), e.ts, e.message})
		}
	}
	if d.LogEvents == nil {
		return
	}
	payload, err := d.payload()
	if err == nil {
		err = (*functions).Deliver(ctx, *f.DestinationArn, to.groupARN(to.group), to.account, payload)
	}
	if err != nil {
		s.Log.Warn("a subscribed function wasn't called", "group", to.group, "function", *f.DestinationArn, "error", err)
	}
}

// payload is the event of the function: compressed, in base64.
func (d *delivery) payload() ([]byte, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"awslogs": map[string]string{"data": base64.StdEncoding.EncodeToString(b.Bytes())}})
}

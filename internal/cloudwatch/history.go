package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

var histories = record.New[cloudwatchapi.AlarmHistoryItem]("cloudwatch", "history") // account, region, name, time

// historyKept is how long an alarm's history is kept (User Guide, "Alarms").
const historyKept = 30 * 24 * time.Hour

// note adds an item to the alarm's history, and forgets what is too old.
func (a *alarm) note(tx store.Tx, p place, now time.Time, kind, summary string, data map[string]any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	item := &cloudwatchapi.AlarmHistoryItem{
		AlarmName: a.AlarmName, AlarmType: wire.Ptr("MetricAlarm"), Timestamp: &now, HistoryItemType: &kind, HistorySummary: &summary,
		HistoryData: wire.Ptr(string(text)),
	}
	lo, hi := histories.Key(p.account, p.region, *a.AlarmName), histories.Key(p.account, p.region, *a.AlarmName, historyKey(now.Add(-historyKept), ""))
	if err := tx.DeleteRange(lo, hi); err != nil {
		return err
	}
	return histories.Put(tx, item, p.account, p.region, *a.AlarmName, historyKey(now, kind+summary))
}

func historyKey(at time.Time, what string) string {
	return fmt.Sprintf("%016d %s", at.UnixMilli(), what)
}

// DescribeAlarmHistory lists what happened to alarms, the newest first unless
// it is asked otherwise.
func (s *Service) DescribeAlarmHistory(ctx context.Context, in *cloudwatchapi.DescribeAlarmHistoryInput) (*cloudwatchapi.DescribeAlarmHistoryOutput, error) {
	after, err := readOffset(in.NextToken)
	if err != nil {
		return nil, err
	}
	limit := 50
	if in.MaxRecords != nil {
		limit = int(*in.MaxRecords)
	}
	p := placeOf(ctx)
	prefix := []string{p.account, p.region}
	if in.AlarmName != nil {
		prefix = append(prefix, *in.AlarmName)
	}
	out := &cloudwatchapi.DescribeAlarmHistoryOutput{AlarmHistoryItems: []cloudwatchapi.AlarmHistoryItem{}}
	if in.AlarmTypes != nil && !slices.Contains(in.AlarmTypes, "MetricAlarm") {
		return out, nil
	}
	var items []cloudwatchapi.AlarmHistoryItem
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		items = nil
		for item, err := range histories.All(r, prefix...) {
			if err != nil {
				return err
			}
			if matches(in.HistoryItemType, item.HistoryItemType) && (in.StartDate == nil || !item.Timestamp.Before(*in.StartDate)) &&
				(in.EndDate == nil || item.Timestamp.Before(*in.EndDate)) {
				items = append(items, *item)
			}
		}
		return nil
	})
	slices.SortStableFunc(items, func(a, b cloudwatchapi.AlarmHistoryItem) int {
		if wire.Val(in.ScanBy) == "TimestampAscending" {
			return a.Timestamp.Compare(*b.Timestamp)
		}
		return b.Timestamp.Compare(*a.Timestamp)
	})
	if after < len(items) {
		out.AlarmHistoryItems = items[after:min(after+limit, len(items))]
	}
	if after+limit < len(items) {
		out.NextToken = paging.Token(fmt.Sprint(after + limit))
	}
	return out, err
}

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/client"
)

// functionGroups is what the log groups of functions begin with, unless a
// function's logging_config names another.
const functionGroups = "/aws/lambda/"

// overlap is how far --follow looks back: events can be stored a moment after
// later ones.
const overlap = 10 * time.Second

// logsOptions are the flags of butai logs.
type logsOptions struct {
	follow bool
	since  time.Duration
	filter string
}

// logsCommand prints what functions and stages log.
func (a *app) logsCommand() *cobra.Command {
	o := logsOptions{}
	cmd := &cobra.Command{
		Use:   "logs [FUNCTION or LOG_GROUP]",
		Short: "Show what functions log",
		Long: `Show what a function logs, what is in a log group, or without a name what all
functions log. A name with a slash is a log group's. It reads CloudWatch Logs as
'aws logs tail' does.`,
		Example: `  butai logs -f users
  butai logs --since 1h --filter ERROR
  butai logs API-Gateway-Execution-Logs_abcdefghij/prod`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t := &tail{app: a, client: newClient(), filter: o.filter, seen: map[string]int64{}}
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			return t.run(cmd.Context(), name, &o)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with events as they come")
	f.DurationVar(&o.since, "since", 10*time.Minute, "how far to look back")
	f.StringVar(&o.filter, "filter", "", "only events that match this CloudWatch Logs filter pattern")
	return cmd
}

// tail prints events, each once.
type tail struct {
	*app
	client *client.Client
	filter string
	seen   map[string]int64 // times of printed events, by group and event id
}

func (t *tail) run(ctx context.Context, name string, o *logsOptions) error {
	now := clock.System{}.Now
	from := now().Add(-o.since)
	for {
		asked := now()
		if err := t.print(ctx, name, from.UnixMilli()); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if !o.follow {
			return nil
		}
		if next := asked.Add(-overlap); next.After(from) {
			from = next
		}
		t.forget(from.UnixMilli())
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
	}
}

// forget drops events that can't come again.
func (t *tail) forget(before int64) {
	for id, at := range t.seen {
		if at < before {
			delete(t.seen, id)
		}
	}
}

// line is an event with its group.
type line struct {
	logsapi.FilteredLogEvent
	group string
}

// print prints the events since a time, in ms, that weren't printed yet.
func (t *tail) print(ctx context.Context, name string, from int64) error {
	groups, err := t.groups(ctx, name)
	if err != nil {
		return err
	}
	var lines []line
	for _, group := range groups {
		more, err := t.read(ctx, group, from)
		if err != nil {
			return err
		}
		lines = append(lines, more...)
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(*a.Timestamp, *b.Timestamp), cmp.Compare(*a.EventId, *b.EventId))
	})
	for _, l := range lines {
		key := l.group + " " + *l.EventId
		if _, printed := t.seen[key]; printed {
			continue
		}
		t.seen[key] = *l.Timestamp
		where := ""
		if len(groups) > 1 {
			where = strings.TrimPrefix(l.group, functionGroups) + "  "
		}
		at := time.UnixMilli(*l.Timestamp).UTC().Format("2006-01-02T15:04:05.000Z")
		if _, err := fmt.Fprintf(t.out, "%s  %s%s\n", at, where, shown(*l.Message)); err != nil {
			return err
		}
	}
	return nil
}

// shown is a message as a terminal shows it: runtimes keep the lines of one
// message together by carriage returns.
func shown(message string) string {
	return strings.ReplaceAll(strings.TrimRight(message, "\r\n"), "\r", "\n")
}

// read returns a group's events since a time.
func (t *tail) read(ctx context.Context, group string, from int64) ([]line, error) {
	in := &logsapi.FilterLogEventsRequest{LogGroupName: &group, StartTime: &from}
	if t.filter != "" {
		in.FilterPattern = &t.filter
	}
	var lines []line
	for {
		var out logsapi.FilterLogEventsResponse
		if err := t.client.Call(ctx, &logsapi.Service, "FilterLogEvents", in, &out); err != nil {
			var refused *client.Error
			if errors.As(err, &refused) && refused.Code == "ResourceNotFoundException" {
				return lines, nil // nothing has been logged there yet
			}
			return nil, err
		}
		for _, e := range out.Events {
			lines = append(lines, line{e, group})
		}
		if out.NextToken == nil {
			return lines, nil
		}
		in.NextToken = out.NextToken
	}
}

// groups are the log groups that a name stands for.
func (t *tail) groups(ctx context.Context, name string) ([]string, error) {
	if strings.Contains(name, "/") {
		return []string{name}, nil
	}
	if name != "" {
		var f lambdaapi.FunctionConfiguration
		err := t.client.Call(ctx, &lambdaapi.Service, "GetFunctionConfiguration", &lambdaapi.GetFunctionConfigurationRequest{FunctionName: &name}, &f)
		if err != nil {
			return nil, err
		}
		if f.LoggingConfig != nil && f.LoggingConfig.LogGroup != nil {
			return []string{*f.LoggingConfig.LogGroup}, nil
		}
		return []string{functionGroups + *f.FunctionName}, nil
	}
	var names []string
	in := &logsapi.DescribeLogGroupsRequest{LogGroupNamePrefix: wire.Ptr(functionGroups)}
	for {
		var out logsapi.DescribeLogGroupsResponse
		if err := t.client.Call(ctx, &logsapi.Service, "DescribeLogGroups", in, &out); err != nil {
			return nil, err
		}
		for _, g := range out.LogGroups {
			names = append(names, *g.LogGroupName)
		}
		if out.NextToken == nil {
			return names, nil
		}
		in.NextToken = out.NextToken
	}
}

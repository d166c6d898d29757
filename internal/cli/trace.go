package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/gateway/tracing"
	"github.com/butai-dev/butai/internal/wire/client"
)

// followEvery is how often --follow asks for new traces.
const followEvery = 500 * time.Millisecond

// traceOptions are the flags of butai trace.
type traceOptions struct {
	api, stage, status string
	last               int
	follow, json       bool
}

// traceCommand prints what happened to requests on their way through API
// Gateway.
func (a *app) traceCommand() *cobra.Command {
	o := traceOptions{}
	cmd := &cobra.Command{
		Use:   "trace [REQUEST_ID]",
		Short: "Show why API Gateway answered requests as it did",
		Long: `Show why API Gateway answered requests as it did: every stop of a request's
road with its time, the rendered templates, what the integration was called
with and what it answered, and for an error what to do about it. Secrets are
masked. A request's id is in the header x-amzn-RequestId of its answer.

The server and credentials are those of the AWS tools: AWS_ENDPOINT_URL,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.`,
		Example: `  butai trace --status 5xx
  butai trace 4f1b0c52-6a6d-4c56-9e0e-2d1c6e9a3c11
  butai trace --api abcdefghij --stage prod --follow`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := tracing.ParseStatus(o.status); err != nil {
				return usageError{err}
			}
			c := newClient()
			switch {
			case len(args) == 1:
				return a.showTrace(cmd.Context(), c, args[0], o.json)
			case o.follow:
				return a.followTraces(cmd.Context(), c, &o)
			}
			_, err := a.listTraces(cmd.Context(), c, &o, 0)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.api, "api", "", "only requests for this API, by its id")
	f.StringVar(&o.stage, "stage", "", "only requests for this stage")
	f.StringVar(&o.status, "status", "", "only answers of this status, such as 502 or 5xx")
	f.IntVar(&o.last, "last", 10, "how many requests to show, the newest; 0 shows all that are remembered")
	f.BoolVar(&o.follow, "follow", false, "go on with requests as they come")
	f.BoolVar(&o.json, "json", false, "print JSON, one trace a line")
	return cmd
}

func (a *app) showTrace(ctx context.Context, c *client.Client, id string, asJSON bool) error {
	var t tracing.Trace
	if err := c.Get(ctx, "/_butai/traces/"+url.PathEscape(id), &t); err != nil {
		return err
	}
	if asJSON {
		return printJSON(a.out, &t)
	}
	return t.Print(a.out)
}

// listTraces prints the traces after a sequence number, oldest first, and
// returns the greatest number it has seen.
func (a *app) listTraces(ctx context.Context, c *client.Client, o *traceOptions, after uint64) (uint64, error) {
	query := url.Values{
		"api": {o.api}, "stage": {o.stage}, "status": {o.status},
		"last": {strconv.Itoa(o.last)}, "after": {strconv.FormatUint(after, 10)},
	}
	var page tracing.Page
	if err := c.Get(ctx, "/_butai/traces?"+query.Encode(), &page); err != nil {
		return after, err
	}
	for _, t := range slices.Backward(page.Traces) {
		after = max(after, t.Seq)
		if o.json {
			if err := printJSON(a.out, &t); err != nil {
				return after, err
			}
			continue
		}
		if err := t.PrintLine(a.out); err != nil {
			return after, err
		}
	}
	return after, nil
}

// followTraces prints new traces until ctx ends.
func (a *app) followTraces(ctx context.Context, c *client.Client, o *traceOptions) error {
	after, err := a.listTraces(ctx, c, o, 0)
	if err != nil {
		return err
	}
	o.last = 0
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if after, err = a.listTraces(ctx, c, o, after); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

func printJSON(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = fmt.Fprintf(w, "%s\n", line)
	}
	return err
}

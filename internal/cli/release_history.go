package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/release/plan"
)

// releaseHistoryCommand lists the releases. Reading the journal checks its
// chain.
func (a *app) releaseHistoryCommand(o *releaseOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "history [STAGE]",
		Short: "List the releases; the chain of the records is checked on the way",
		Args:  maxArgs(1), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			h, err := e.Load(cmd.Context())
			if err != nil {
				return err
			}
			releases := []*plan.Release{}
			for _, r := range h.Releases {
				if len(args) == 0 || r.Stage == args[0] {
					releases = append(releases, r)
				}
			}
			if o.json {
				return a.printJSON(releases)
			}
			w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "RELEASE\tSTAGE\tWHAT\tSTATUS\tBEGUN\tTOOK\tPAIR\tWHO\tWHY")
			for _, r := range releases {
				took := ""
				if !r.Ended.IsZero() {
					took = r.Ended.Sub(r.Begun).Round(time.Second / 10).String()
				}
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Number, r.Stage, what(r), r.Status,
					r.Begun.Format(time.DateTime), took, pairText(r.To), r.Who, r.Why)
			}
			return w.Flush()
		},
	}
}

func what(r *plan.Release) string {
	switch r.Action {
	case "promote":
		return "promote from " + r.Source
	case "rollback":
		return fmt.Sprintf("rollback to %d", r.Returns)
	}
	return r.Action
}

func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// releaseShowCommand prints one release.
func (a *app) releaseShowCommand(o *releaseOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "show RELEASE",
		Short: "Print one release: its pairs, steps, checks and outcome",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := strconv.Atoi(args[0])
			if err != nil {
				return usageError{fmt.Errorf("%q is no release's number", args[0])}
			}
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			h, err := e.Load(cmd.Context())
			if err != nil {
				return err
			}
			r := h.Find(number)
			if r == nil {
				return fmt.Errorf("there is no release %d", number)
			}
			if o.json {
				return a.printJSON(r)
			}
			a.showRelease(r)
			return nil
		},
	}
}

func (a *app) showRelease(r *plan.Release) {
	fmt.Fprintf(a.out, "release %d of stage %s: %s, %s\n", r.Number, r.Stage, what(r), r.Status)
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(a.out, "  %-10s %s\n", name, text)
		}
	}
	row("reason", r.Reason)
	row("who", r.Who)
	row("why", r.Why)
	row("commit", r.Commit)
	row("override", r.Override)
	row("strategy", r.Strategy)
	row("begun", r.Begun.Format(time.RFC3339))
	if !r.Ended.IsZero() {
		row("ended", r.Ended.Format(time.RFC3339))
	}
	row("from", pairText(r.From))
	row("to", pairText(r.To))
	row("definition", r.To.Definition)
	for _, fn := range sortedNames(r.To.Code) {
		row("code", fn+" "+r.To.Code[fn])
	}
	for i, s := range r.Steps {
		mark := " "
		if i < r.Next {
			mark = "x"
		}
		fmt.Fprintf(a.out, "  [%s] %s\n", mark, s)
	}
	for _, c := range r.Results {
		fmt.Fprintf(a.out, "  %s  %-12s %s %s %s\n", c.Time.Format(time.TimeOnly), c.Verdict, c.Step, c.Name, c.Detail)
	}
}

package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/release/diff"
)

// diffOptions are the flags of release diff.
type diffOptions struct {
	format string
	number int
	shown  bool
}

// releaseDiffCommand shows what a stage would get.
func (a *app) releaseDiffCommand(o *releaseOptions) *cobra.Command {
	var d diffOptions
	cmd := &cobra.Command{
		Use:   "diff [FROM] [STAGE]",
		Short: "Show what a stage would get: routes, templates, models, code, configuration; exit code 2 if anything differs",
		Args:  maxArgs(2), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			stage := oneStage(e, args)
			if len(args) == 2 {
				stage = args[1]
				if _, before, err := e.Config.Stage(stage); err == nil && (before == nil || before.Name != args[0]) {
					return usageError{fmt.Errorf("%s gets what the stage before it serves, which isn't %s", stage, args[0])}
				}
			}
			report, err := e.Diff(cmd.Context(), stage, d.number, d.shown)
			if err != nil {
				return err
			}
			if o.json {
				d.format = "json"
			}
			if err := a.printReport(report, d.format); err != nil {
				return err
			}
			if report.Differs() {
				return outcome{error: errors.New("there are differences"), code: exitDiffers, quiet: true}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&d.format, "output", "o", "text", "text, markdown, json or html")
	f.IntVar(&d.number, "to", 0, "compare with an earlier release of the stage, as a rollback to it would move")
	f.BoolVar(&d.shown, "show-values", false, "show values of environment variables")
	return cmd
}

func (a *app) printReport(r *diff.Report, format string) error {
	switch strings.ToLower(format) {
	case "text":
		return r.Text(a.out)
	case "markdown", "md":
		return r.Markdown(a.out)
	case "json":
		return a.printJSON(r)
	case "html":
		return r.HTML(a.out)
	}
	return usageError{fmt.Errorf("--output: want text, markdown, json or html, not %q", format)}
}

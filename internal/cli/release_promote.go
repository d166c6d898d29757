package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/release"
)

// releasePromoteCommand moves the pair of the stage before to a stage.
func (a *app) releasePromoteCommand(o *releaseOptions) *cobra.Command {
	var m moveOptions
	cmd := &cobra.Command{
		Use:   "promote [STAGE]",
		Short: "Move what the stage before serves to a stage, gateway and code as one unit",
		Long: `promote publishes the versions that the stage before runs, checks that API
Gateway may call them, and moves deployment and alias in one call.

Strategies: all; canary 10% for 5m; linear 10% every 1m; dark, which serves the
new pair on a stage of its own and waits; several, separated by commas.`,
		Args: maxArgs(1), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.move(cmd.Context(), o, &m, func(ctx context.Context, e *release.Engine) error {
				return e.Promote(ctx, oneStage(e, args), m.Options)
			})
		},
	}
	m.flags(cmd)
	cmd.Flags().StringVar(&m.Strategy, "strategy", "", "how the requests move; default: as butai.yaml says, or all")
	return cmd
}

// releaseDeployCommand lets the first stage serve the API as it is now.
func (a *app) releaseDeployCommand(o *releaseOptions) *cobra.Command {
	var m moveOptions
	cmd := &cobra.Command{
		Use:   "deploy [STAGE]",
		Short: "Deploy the API as it is now to the first stage",
		Args:  maxArgs(1), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.move(cmd.Context(), o, &m, func(ctx context.Context, e *release.Engine) error {
				name := e.Config.Stages[0].Name
				if len(args) > 0 {
					name = args[0]
				}
				return e.Deploy(ctx, name, m.Options)
			})
		},
	}
	m.flags(cmd)
	return cmd
}

// releaseRollbackCommand moves a stage back to an earlier release.
func (a *app) releaseRollbackCommand(o *releaseOptions) *cobra.Command {
	var m moveOptions
	var number int
	var quick bool
	cmd := &cobra.Command{
		Use:   "rollback [STAGE] [--to RELEASE]",
		Short: "Move a stage back to an earlier release, gateway and code as one unit",
		Args:  maxArgs(1), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 { // a number alone is the release
				if n, err := strconv.Atoi(args[0]); err == nil {
					number, args = n, nil
				}
			}
			return a.move(cmd.Context(), o, &m, func(ctx context.Context, e *release.Engine) error {
				if _, err := e.Load(ctx); err != nil {
					return err
				}
				stage := oneStage(e, args)
				if number != 0 && len(args) == 0 {
					if r := e.History().Find(number); r != nil {
						stage = r.Stage
					}
				}
				if !quick && !o.json {
					a.showWayBack(ctx, e, stage, number)
				}
				return e.Rollback(ctx, stage, number, m.Options)
			})
		},
	}
	m.flags(cmd)
	cmd.Flags().StringVar(&m.Strategy, "strategy", "", "how the requests move; default: all")
	cmd.Flags().IntVar(&number, "to", 0, "the release to go back to; default: the one before the present")
	cmd.Flags().BoolVar(&quick, "no-diff", false, "don't show first what the stage will get")
	return cmd
}

// showWayBack prints what a rollback changes. That it can't must not keep
// anybody from rolling back.
func (a *app) showWayBack(ctx context.Context, e *release.Engine, stage string, number int) {
	back, err := e.Earlier(stage, number)
	if err != nil {
		return // Rollback says so
	}
	report, err := e.Diff(ctx, stage, back.Number, false)
	if err == nil {
		err = report.Text(a.out)
	}
	if err != nil {
		fmt.Fprintln(a.err, "note: the difference can't be shown:", err)
	}
}

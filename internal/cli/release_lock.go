package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/release/plan"
)

// releaseFreezeCommand keeps a stage as it is.
func (a *app) releaseFreezeCommand(o *releaseOptions) *cobra.Command {
	var reason string
	var length time.Duration
	cmd := &cobra.Command{
		Use: "freeze [STAGE]", Aliases: []string{"lock"},
		Short: "Keep a stage as it is: no release of it may begin, unless with --break-glass",
		Args:  maxArgs(1), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			event := plan.Event{Type: plan.EventFrozen, Stage: oneStage(e, args), Reason: reason}
			if length > 0 {
				event.Until = clock.System{}.Now().Add(length)
			}
			return e.Freeze(cmd.Context(), event)
		},
	}
	cmd.Flags().StringVarP(&reason, "message", "m", "frozen by hand", "why, for the records")
	cmd.Flags().DurationVar(&length, "for", 0, "for how long; default: until thaw")
	return cmd
}

// releaseThawCommand ends a freeze.
func (a *app) releaseThawCommand(o *releaseOptions) *cobra.Command {
	return &cobra.Command{
		Use: "thaw [STAGE]", Aliases: []string{"unlock"},
		Short: "End the freeze of a stage",
		Args:  maxArgs(1), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			return e.Freeze(cmd.Context(), plan.Event{Type: plan.EventThawed, Stage: oneStage(e, args)})
		},
	}
}

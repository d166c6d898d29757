package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/release"
)

// releaseResumeCommand goes on with a release.
func (a *app) releaseResumeCommand(o *releaseOptions) *cobra.Command {
	accept := false
	cmd := &cobra.Command{
		Use:   "resume [STAGE]",
		Short: "Go on with a release that waits, was paused, or whose command died; this is also the approval",
		Args:  maxArgs(1), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.move(cmd.Context(), o, &moveOptions{}, func(ctx context.Context, e *release.Engine) error {
				return e.Resume(ctx, oneStage(e, args), accept)
			})
		},
	}
	cmd.Flags().BoolVar(&accept, "accept", false, "let a gate that was inconclusive count as passed")
	return cmd
}

// releasePauseCommand asks a running release to wait.
func (a *app) releasePauseCommand(o *releaseOptions) *cobra.Command {
	reason := ""
	cmd := &cobra.Command{
		Use:   "pause [STAGE]",
		Short: "Ask a running release to wait where it is",
		Args:  maxArgs(1), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			return e.Pause(cmd.Context(), oneStage(e, args), reason)
		},
	}
	cmd.Flags().StringVarP(&reason, "message", "m", "asked to pause", "why, for the records")
	return cmd
}

// releaseAbortCommand brings a stage back amid a release.
func (a *app) releaseAbortCommand(o *releaseOptions) *cobra.Command {
	reason := ""
	cmd := &cobra.Command{
		Use:   "abort [STAGE]",
		Short: "End a release and let the stage serve what it served before",
		Args:  maxArgs(1), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.move(cmd.Context(), o, &moveOptions{}, func(ctx context.Context, e *release.Engine) error {
				err := e.Abort(ctx, oneStage(e, args), reason)
				var restored *release.RestoredError
				if errors.As(err, &restored) { // what was asked for
					return nil
				}
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&reason, "message", "m", "by hand", "why, for the records")
	return cmd
}

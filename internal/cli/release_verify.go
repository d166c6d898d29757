package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/release/check"
	"github.com/butai-dev/butai/internal/release/plan"
)

// releaseVerifyCommand runs the checks on a stage.
func (a *app) releaseVerifyCommand(o *releaseOptions) *cobra.Command {
	junit := ""
	cmd := &cobra.Command{
		Use:   "verify [STAGE]",
		Short: "Run the checks of butai.yaml on a stage",
		Args:  maxArgs(1), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			stage := oneStage(e, args)
			results, err := e.Verify(cmd.Context(), stage)
			if err != nil {
				return err
			}
			if junit != "" {
				f, err := os.Create(junit)
				if err != nil {
					return err
				}
				if err := errors.Join(check.JUnit(f, "butai release verify "+stage, results), f.Close()); err != nil {
					return err
				}
			}
			if o.json {
				err = a.printJSON(append([]plan.Result{}, results...))
			} else {
				for _, r := range results {
					fmt.Fprintf(a.out, "%-12s %6s  %s %s\n", r.Verdict, time.Duration(r.Seconds*float64(time.Second)).Round(time.Millisecond), r.Name, r.Detail)
				}
			}
			if n := len(results) - passed(results); n > 0 && err == nil {
				err = outcome{error: fmt.Errorf("%d of %d checks of stage %s failed", n, len(results), stage), code: exitError}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&junit, "junit", "", "also write the results to this file, as JUnit XML")
	return cmd
}

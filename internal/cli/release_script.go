package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// releaseScriptCommand prints a promotion as a shell script.
func (a *app) releaseScriptCommand(o *releaseOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "script [STAGE]",
		Short: "Print a promotion to a stage as a shell script that needs the AWS CLI alone",
		Args:  maxArgs(1), ValidArgsFunction: completeStages(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			text, err := e.Script(cmd.Context(), oneStage(e, args))
			if err == nil {
				_, err = fmt.Fprint(a.out, text)
			}
			return err
		},
	}
}

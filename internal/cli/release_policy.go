package cli

import (
	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/release/config"
)

// releasePolicyCommand prints what the commands need to be allowed.
func (a *app) releasePolicyCommand(o *releaseOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "policy",
		Short: "Print the minimal IAM policy that the release commands need",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			return a.printJSON(e.MinimalPolicy())
		},
	}
}

// releaseSchemaCommand prints the schema of butai.yaml.
func (a *app) releaseSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of butai.yaml",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(config.Schema)
			return err
		},
	}
}

package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/server"
)

// envCommand prints shell assignments that lead AWS tools to butai.
func (a *app) envCommand() *cobra.Command {
	var listen, account, region string
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print the environment that points AWS tools at butai",
		Example: `  eval "$(butai env)"
  aws sts get-caller-identity`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			// The access key is the account; any secret will do for a key
			// that butai didn't issue.
			for _, pair := range [][2]string{
				{"AWS_ENDPOINT_URL", "http://" + listen},
				{"AWS_ACCESS_KEY_ID", account},
				{"AWS_SECRET_ACCESS_KEY", "butai"},
				{"AWS_REGION", region},
				{"AWS_DEFAULT_REGION", region},
			} {
				fmt.Fprintf(a.out, "export %s=%s\n", pair[0], pair[1])
			}
			fmt.Fprintln(a.out, "unset AWS_SESSION_TOKEN AWS_PROFILE")
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", server.DefaultListen, "host:port that butai listens on")
	cmd.Flags().StringVar(&account, "account", server.DefaultAccount, "account to act in: 12 digits")
	cmd.Flags().StringVar(&region, "region", server.DefaultRegion, "region to act in")
	return cmd
}

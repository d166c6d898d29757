package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/server"
)

// caCommand prints where the local certificate authority's root is.
func (a *app) caCommand() *cobra.Command {
	var dataDir string
	cmd := &cobra.Command{
		Use:     "ca",
		Short:   "Print the path of the certificate that signs butai's own",
		Example: `  curl --cacert "$(butai ca)" https://api.example.test:4567/user/ada`,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			authority := server.Authority(dataDir, clock.System{})
			if _, err := authority.Root(); err != nil {
				return err
			}
			fmt.Fprintln(a.out, authority.Path())
			return nil
		},
	}
	cmd.Flags().StringVar(&dataDir, "data-dir", defaultDataDir(), "data directory of the server")
	return cmd
}

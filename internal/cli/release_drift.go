package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// releaseDriftCommand shows what was changed since the last release.
func (a *app) releaseDriftCommand(o *releaseOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "drift",
		Short: "Show what was changed by hand or by Terraform since the last release; exit code 2 if anything was",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			found, err := e.Drifts(cmd.Context())
			if err != nil {
				return err
			}
			if o.json {
				err = a.printJSON(found)
			} else {
				for _, d := range found {
					fmt.Fprintf(a.out, "%s: %s is %s; the last release left %s\n", d.Stage, d.What, orDash(d.Now), orDash(d.Left))
				}
				if len(found) == 0 {
					fmt.Fprintln(a.out, "every stage is as its last release left it")
				}
				fmt.Fprintf(a.out, "\nSo that Terraform leaves alone what releases move:\n\n%s", e.Lifecycle())
			}
			if err == nil && len(found) > 0 {
				err = outcome{error: errors.New("there is drift"), code: exitDiffers, quiet: true}
			}
			return err
		},
	}
}

// keepReleases is how many releases of a stage prune keeps by default.
const keepReleases = 10

// releasePruneCommand removes what nothing needs any more.
func (a *app) releasePruneCommand(o *releaseOptions) *cobra.Command {
	var keep int
	var yes bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove deployments, versions and aliases that releases made and nothing needs any more",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.openRelease(cmd.Context(), o)
			if err != nil {
				return err
			}
			removed, err := e.Prune(cmd.Context(), keep, yes)
			if o.json {
				return errors.Join(a.printJSON(append([]string{}, removed...)), err)
			}
			for _, what := range removed {
				fmt.Fprintln(a.out, what)
			}
			switch {
			case len(removed) == 0:
				fmt.Fprintln(a.out, "nothing to remove")
			case !yes:
				fmt.Fprintln(a.out, "\n--yes removes them")
			}
			return err
		},
	}
	cmd.Flags().IntVar(&keep, "keep", keepReleases, "how many releases of each stage to keep whole")
	cmd.Flags().BoolVar(&yes, "yes", false, "remove, instead of only listing")
	return cmd
}

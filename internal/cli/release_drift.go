package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/release"
	"github.com/butai-dev/butai/internal/release/terraform"
)

// releaseDriftCommand shows what was changed since the last release.
func (a *app) releaseDriftCommand(o *releaseOptions) *cobra.Command {
	path := ""
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Show what was changed by hand or by Terraform since the last release; exit code 2 if anything was",
		Long: `drift compares every stage with what its last release left, and prints the lines
that let Terraform leave alone what releases move.

With --terraform-state it tells Terraform's changes from others': what is as
Terraform's state has it was changed by Terraform, what differs from both the
state and the release's record by hand. Give the folder that terraform runs in,
a state or plan file, or what terraform show -json has printed. A state takes
over what others changed when Terraform refreshes it; a plan (terraform plan
-out FILE) keeps the two apart.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.drift(cmd.Context(), o, path) },
	}
	cmd.Flags().StringVar(&path, "terraform-state", "", "Terraform's folder, state or plan, to tell its changes from others'")
	return cmd
}

func (a *app) drift(ctx context.Context, o *releaseOptions, path string) error {
	e, err := a.openRelease(ctx, o)
	if err != nil {
		return err
	}
	var state *terraform.State
	if path != "" {
		if state, err = readTerraform(ctx, path); err != nil {
			return err
		}
	}
	found, err := e.Drifts(ctx, state)
	if err != nil {
		return err
	}
	if o.json {
		err = a.printJSON(found)
	} else {
		for i := range found {
			fmt.Fprintln(a.out, &found[i])
		}
		switch {
		case len(found) == 0:
			fmt.Fprintln(a.out, "every stage is as its last release left it")
		case state == nil:
			fmt.Fprintln(a.out, "\n--terraform-state tells whether Terraform did it")
		case !state.Planned && slices.ContainsFunc(found, func(d release.Drift) bool { return d.By == release.ByTerraform }):
			fmt.Fprintln(a.out, "\nnote: Terraform's state takes over what others changed when it is refreshed; a plan (terraform plan -out FILE) keeps the two apart")
		}
		fmt.Fprintf(a.out, "\nSo that Terraform leaves alone what releases move:\n\n%s", e.Lifecycle(state))
	}
	if err == nil && len(found) > 0 {
		err = outcome{error: errors.New("there is drift"), code: exitDiffers, quiet: true}
	}
	return err
}

// readTerraform reads a state or a plan. Terraform itself reads folders, whose
// state may be elsewhere, and plan files, whose format is its own.
func readTerraform(ctx context.Context, path string) (*terraform.State, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	var data []byte
	if info.IsDir() {
		data, err = showTerraform(ctx, path)
	} else if data, err = os.ReadFile(path); bytes.HasPrefix(data, []byte("PK")) {
		var full string
		if full, err = filepath.Abs(path); err == nil {
			data, err = showTerraform(ctx, filepath.Dir(full), full)
		}
	}
	if err != nil {
		return nil, err
	}
	state, err := terraform.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return state, nil
}

func showTerraform(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "terraform", append([]string{"show", "-json", "-no-color"}, args...)...)
	cmd.Dir = dir
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("terraform show -json in %s: %w\n%s", dir, err, bytes.TrimSpace(complaint.Bytes()))
	}
	return out, nil
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

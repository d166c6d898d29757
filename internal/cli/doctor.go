package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/server"
)

// doctorCommand says what this machine offers to functions, and how to get
// what is missing.
func (a *app) doctorCommand() *cobra.Command {
	var runtimes []string
	var isolation string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check this machine: isolation of functions, runtimes, SDK copies",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			overrides, err := parseRuntimes(runtimes)
			if err != nil {
				return usageError{err}
			}
			return runDoctor(cmd.Context(), overrides, isolation, a.out)
		},
	}
	cmd.Flags().StringArrayVar(&runtimes, "runtime", nil, "interpreter for a runtime, as name=path (repeatable)")
	cmd.Flags().StringVar(&isolation, "isolation", "", "what 'butai serve' will be asked for")
	return cmd
}

func runDoctor(ctx context.Context, overrides map[string]string, isolation string, out io.Writer) (err error) {
	srv, err := server.New(ctx, server.Config{
		Listen: "127.0.0.1:0", Ephemeral: true, Runtimes: overrides, Isolation: isolation, Log: slog.New(slog.DiscardHandler), Clock: clock.System{},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	fmt.Fprintln(out, "Isolation of functions")
	for _, rung := range srv.Isolation(ctx) {
		mark := "yes"
		if !rung.Reached {
			mark = "NO "
		}
		fmt.Fprintf(out, "  %s  %-18s %s\n", mark, rung.Mechanism, rung.Detail)
	}
	fmt.Fprintf(out, "\nFreezing between calls (butai serve --freeze)\n       by %s\n", srv.Freezing())
	fmt.Fprintln(out, "\nRuntimes")
	for _, f := range srv.Runtimes(ctx) {
		if f.Err != nil {
			fmt.Fprintf(out, "  NO   %-16s %v\n", f.Runtime.ID, f.Err)
			continue
		}
		i := f.Interpreter
		fmt.Fprintf(out, "  yes  %-16s %s %s%s\n", f.Runtime.ID, i.Version, i.Path, parenthesis(i.Note))
		if i.SDKNote != "" {
			fmt.Fprintf(out, "       %-16s SDK: %s\n", "", i.SDKNote)
		}
	}
	if err := srv.ContainerImages(); err != nil {
		fmt.Fprintf(out, "  NO   %-16s they need a file system of their own: see the isolation above\n", "container images")
	} else {
		fmt.Fprintf(out, "  yes  %-16s unpacked and run in sandboxes, without Docker\n", "container images")
	}
	return nil
}

func parenthesis(note string) string {
	if note == "" {
		return ""
	}
	return " (" + note + ")"
}

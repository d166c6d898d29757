// Package cli is butai's command line: one file per command, each with a
// function that takes its options and can be run by a test.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Exit codes of every command.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// app is what the commands share: where they print.
type app struct {
	out, err io.Writer
}

// usageError is a mistake in the command line itself.
type usageError struct{ error }

// outcome is an end of a command that scripts want to tell apart.
type outcome struct {
	error
	code  int
	quiet bool // everything was said already
}

func (o outcome) Unwrap() error { return o.error }

// Run executes a command line and returns the process's exit code.
func Run(ctx context.Context, args []string, out, errOut io.Writer) int {
	root := newRoot(&app{out: out, err: errOut})
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	var usage usageError
	var end outcome
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &end):
		if !end.quiet {
			fmt.Fprintf(errOut, "butai: %v\n", err)
		}
		return end.code
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "butai: %v\nRun '%s --help' to see how it is used.\n", err, command.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(errOut, "butai: %v\n", err)
	return exitError
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "butai",
		Short: "API Gateway, Lambda and DynamoDB with a staging and a production, in one process",
		Long: `butai is API Gateway (REST), Lambda, DynamoDB and what belongs to them in one
process. It speaks AWS's own protocols: point Terraform, the AWS CLI or any SDK
at it with AWS_ENDPOINT_URL.

  butai serve                    start it
  eval "$(butai env)"            point this shell's AWS tools at it
  terraform apply                deploy
  curl http://127.0.0.1:4566/_aws/execute-api/API/STAGE/path`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(a.serveCommand(), a.demoCommand(), a.envCommand(), a.coverageCommand(), a.doctorCommand(), a.caCommand(), a.traceCommand(), a.logsCommand(), a.vtlCommand(), a.releaseCommand(), a.devCommand(), a.invokeCommand())
	return root
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command or argument %q", args[0])}
	}
	return nil
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}

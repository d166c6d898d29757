package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/demo"
	"github.com/butai-dev/butai/internal/server"
)

// demoOptions are the flags of demo.
type demoOptions struct {
	listen  string
	runtime string
	plain   bool // don't use terraform
	once    bool // end after the story
}

// demoCommand starts a server that forgets everything and tells the story of
// staging and production on it.
func (a *app) demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Start butai and walk through a release from staging to production",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), o, a.out, a.err) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", server.DefaultListen, "host:port to listen on")
	f.StringVar(&o.runtime, "runtime", "", "Lambda runtime of the handler; default: the newest Python found that has boto3")
	f.BoolVar(&o.plain, "no-terraform", false, "deploy through the AWS APIs even if terraform is installed")
	f.BoolVar(&o.once, "once", false, "end after the story instead of serving on")
	return cmd
}

func runDemo(ctx context.Context, o demoOptions, out, errOut io.Writer) (err error) {
	log, err := newLogger(errOut, slog.LevelWarn.String(), "text")
	if err != nil {
		return err
	}
	srv, err := server.New(ctx, server.Config{Listen: o.listen, Ephemeral: true, Log: log, Clock: clock.System{}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	if o.runtime == "" {
		if o.runtime = srv.PythonWithSDK(ctx); o.runtime == "" {
			return errors.New("no Python with a boto3 that handlers can use is installed: pip install boto3 (butai doctor says what was found)")
		}
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(serving) }()
	for _, line := range srv.Banner(ctx) {
		fmt.Fprintln(out, line)
	}
	staging, production, err := demo.Run(ctx, demo.Config{
		URL: srv.URL(), Account: server.DefaultAccount, Region: server.DefaultRegion, Out: out, Runtime: o.runtime, Plain: o.plain,
	})
	if err == nil && !o.once {
		fmt.Fprintf(out, "\nstaging     %s/user/ada\nproduction  %s/user/ada\n\nbutai goes on serving; Ctrl-C ends it.\n", staging, production)
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, <-ended)
}

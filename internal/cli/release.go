package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/release"
	"github.com/butai-dev/butai/internal/release/check"
	"github.com/butai-dev/butai/internal/release/cloud"
	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
)

// Exit codes of butai release, beside those of every command.
const (
	exitDiffers  = 2 // diff and drift found something
	exitRestored = 3 // the release was taken back
	exitHeld     = 4 // the release waits for somebody
	exitLocked   = 5 // somebody else is releasing, or the stage is frozen
)

// releaseOptions are the flags that all release commands share.
type releaseOptions struct {
	config string
	json   bool
	who    string
}

// releaseCommand moves APIs from stage to stage, here or on AWS.
func (a *app) releaseCommand() *cobra.Command {
	o := &releaseOptions{}
	cmd := &cobra.Command{
		Use:   "release",
		Short: "Move an API from staging to production, gateway and code as one unit",
		Long: `release moves what one stage of an API serves to the next: the deployment of the
gateway and the Lambda versions behind it, as one unit. It uses public AWS APIs
only: AWS_ENDPOINT_URL decides whether it drives butai or AWS.

  butai release init                  write butai.yaml by looking at what is deployed
  butai release status                stages side by side
  butai release diff production       what production would get
  butai release promote production    move it there
  butai release rollback production   and back

Exit codes: 0 released, or nothing to do; 1 error; 2 wrong usage, and for diff
and drift: there is a difference; 3 taken back; 4 waits for somebody; 5 locked.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := cmd.PersistentFlags()
	f.StringVarP(&o.config, "config", "c", config.FileName, "the configuration file")
	f.BoolVar(&o.json, "json", false, "print JSON for machines")
	f.StringVar(&o.who, "who", "", "who is releasing, for the records; default: the user and the AWS principal")
	cmd.AddCommand(
		a.releaseInitCommand(o), a.releaseStatusCommand(o), a.releaseDeployCommand(o), a.releasePromoteCommand(o),
		a.releaseRollbackCommand(o), a.releaseResumeCommand(o), a.releasePauseCommand(o), a.releaseAbortCommand(o),
		a.releaseHistoryCommand(o), a.releaseShowCommand(o), a.releaseDiffCommand(o),
		a.releaseVerifyCommand(o), a.releaseDriftCommand(o), a.releasePruneCommand(o), a.releaseFreezeCommand(o), a.releaseThawCommand(o),
		a.releasePolicyCommand(o), a.releaseSchemaCommand(), a.releaseScriptCommand(o), a.releaseSimulateCommand(o),
	)
	return cmd
}

// openRelease reads butai.yaml and connects to AWS.
func (a *app) openRelease(ctx context.Context, o *releaseOptions) (*release.Engine, error) {
	text, err := os.ReadFile(o.config)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s isn't here; butai release init writes it", o.config)
	} else if err != nil {
		return nil, err
	}
	file, err := config.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.config, err)
	}
	return a.connect(ctx, o, file)
}

// connect makes the engine of a configuration.
func (a *app) connect(ctx context.Context, o *releaseOptions, file *config.File) (*release.Engine, error) {
	cfg, err := cloud.Config(ctx)
	if err != nil {
		return nil, err
	}
	account, err := cloud.Account(ctx, cfg)
	if err != nil {
		return nil, err
	}
	gateway := cloud.NewGateway(cfg, file.API)
	return &release.Engine{
		Config: file, Account: account, Gateway: gateway, Functions: cloud.NewFunctions(cfg),
		Records: cloud.OpenRecords(cfg, file), Metrics: cloud.NewMetrics(cfg, gateway), Domains: cloud.NewDomains(cfg, file.API),
		Checks: &check.Runner{Client: http.DefaultClient, Clock: clock.System{}}, Clock: clock.System{},
		Who: whoAmI(o.who, account),
	}, nil
}

// whoAmI is the name for the records.
func whoAmI(given string, account release.Account) string {
	if given != "" {
		return given
	}
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name + " as " + account.Principal
}

// ended turns how a release ended into the command's end.
func ended(err error) error {
	var held *release.HeldError
	var restored *release.RestoredError
	var leased *release.LeaseError
	var frozen *release.FrozenError
	var open *release.OpenError
	switch {
	case err == nil || errors.Is(err, release.ErrNothing):
		return nil
	case errors.As(err, &held):
		return outcome{error: err, code: exitHeld}
	case errors.As(err, &restored):
		return outcome{error: err, code: exitRestored}
	case errors.As(err, &leased), errors.As(err, &frozen), errors.As(err, &open):
		return outcome{error: err, code: exitLocked}
	}
	return err
}

// oneStage takes the stage that a command names; the last of butai.yaml if it
// names none.
func oneStage(e *release.Engine, args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return e.Config.Stages[len(e.Config.Stages)-1].Name
}

func maxArgs(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usageError{fmt.Errorf("unexpected argument %q", args[n])}
		}
		return nil
	}
}

// completeStages offers the stages of butai.yaml to shells.
func completeStages(o *releaseOptions) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		text, err := os.ReadFile(o.config)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		file, err := config.Parse(text)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, s := range file.Stages {
			names = append(names, s.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// moveOptions are the flags of commands that begin a release.
type moveOptions struct {
	release.Options
	breakGlass string
}

func (m *moveOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&m.Why, "message", "m", "", "why, for the records")
	f.StringVar(&m.Commit, "commit", "", "the commit that is released, for the records")
	f.StringVar(&m.breakGlass, "break-glass", "", "release although the stage is frozen, and why")
}

// move opens the engine and runs one release with its progress shown.
func (a *app) move(ctx context.Context, o *releaseOptions, m *moveOptions, run func(context.Context, *release.Engine) error) error {
	e, err := a.openRelease(ctx, o)
	if err != nil {
		return err
	}
	e.BreakGlass = m.breakGlass
	show := a.progress(o)
	e.Progress = show.tell
	err = run(ctx, e)
	show.end()
	if errors.Is(err, release.ErrNothing) && !o.json {
		fmt.Fprintln(a.out, err)
	}
	return ended(err)
}

func pairText(p plan.Pair) string {
	text := p.Deployment
	for _, fn := range sortedNames(p.Versions) {
		text += " " + fn + ":" + p.Versions[fn]
	}
	return text
}

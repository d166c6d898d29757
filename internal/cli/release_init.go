package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/release"
	"github.com/butai-dev/butai/internal/release/cloud"
	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
)

// initOptions are the flags of release init.
type initOptions struct {
	api, records string
	force        bool
	dryRun       bool
}

// releaseInitCommand writes butai.yaml, makes the place of the records and
// records what the stages serve.
func (a *app) releaseInitCommand(o *releaseOptions) *cobra.Command {
	var i initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write butai.yaml by looking at what is deployed, and make the place of the records",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.initRelease(cmd.Context(), o, i) },
	}
	f := cmd.Flags()
	f.StringVar(&i.api, "api", "", "the API's id or name; default: the only one there is")
	f.StringVar(&i.records, "records", "", "where to keep the records: a DynamoDB table, or s3://BUCKET/PREFIX; default: table butai-release")
	f.BoolVar(&i.force, "force", false, "write the file although it is there")
	f.BoolVar(&i.dryRun, "dry-run", false, "print the file and touch nothing")
	return cmd
}

func (a *app) initRelease(ctx context.Context, o *releaseOptions, i initOptions) error {
	if _, err := os.Stat(o.config); err == nil && !i.force && !i.dryRun {
		return fmt.Errorf("%s is there already; --force writes it anew", o.config)
	}
	cfg, err := cloud.Config(ctx)
	if err != nil {
		return err
	}
	account, err := cloud.Account(ctx, cfg)
	if err != nil {
		return err
	}
	api, err := pickAPI(ctx, cfg, i.api)
	if err != nil {
		return err
	}
	found, err := look(ctx, cfg, api, account)
	if err != nil {
		return err
	}
	file, notes, err := release.Infer(found)
	for _, n := range notes {
		fmt.Fprintln(a.err, "note:", n)
	}
	if err != nil {
		return err
	}
	if i.records != "" {
		file.Records = i.records
	}
	text, err := file.Write()
	if err != nil {
		return err
	}
	if i.dryRun {
		_, err = a.out.Write(text)
		return err
	}
	if err := os.WriteFile(o.config, text, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(o.config), config.SchemaName), config.Schema, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "wrote %s: API %s, stages %s\n", o.config, api, stageNames(file.Stages))
	e, err := a.openRelease(ctx, o)
	if err != nil {
		return err
	}
	if err := e.Records.Create(ctx); err != nil {
		return fmt.Errorf("make the place of the records, %s: %w", file.Records, err)
	}
	fmt.Fprintf(a.out, "records are kept in %s\n", recordsPlace(file))
	adopted, err := e.Adopt(ctx, "as found by init")
	for _, r := range adopted {
		fmt.Fprintf(a.out, "release %d: stage %s serves %s\n", r.Number, r.Stage, pairText(r.To))
	}
	return err
}

func pickAPI(ctx context.Context, cfg aws.Config, wanted string) (string, error) {
	all, err := cloud.APIs(ctx, cfg)
	if err != nil {
		return "", err
	}
	var matching, names []string
	for _, api := range all {
		names = append(names, api.ID+" ("+api.Name+")")
		if wanted == "" || api.ID == wanted || api.Name == wanted {
			matching = append(matching, api.ID)
		}
	}
	switch {
	case len(matching) == 1:
		return matching[0], nil
	case len(all) == 0:
		return "", fmt.Errorf("there is no REST API in this account and region")
	case len(matching) == 0:
		return "", fmt.Errorf("no API is called %s; there are: %s", wanted, strings.Join(names, ", "))
	}
	return "", usageError{fmt.Errorf("say which API with --api: %s", strings.Join(names, ", "))}
}

// look reads what init infers the configuration from.
func look(ctx context.Context, cfg aws.Config, api string, account release.Account) (*release.Found, error) {
	g := cloud.NewGateway(cfg, api)
	names, err := g.StageNames(ctx)
	if err != nil {
		return nil, err
	}
	found := &release.Found{API: api, Endpoint: account.Endpoint, Stages: map[string]plan.Stage{}}
	for _, name := range names {
		if found.Stages[name], err = g.Stage(ctx, name); err != nil {
			return nil, err
		}
	}
	found.Integrations, err = g.Integrations(ctx)
	return found, err
}

// recordsPlace says where the records are in words.
func recordsPlace(file *config.File) string {
	if _, _, ok := file.Bucket(); ok {
		return file.Records
	}
	return "DynamoDB table " + file.Records
}

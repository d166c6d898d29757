package cli

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// simulation is what release simulate injects.
type simulation struct {
	errors  string
	latency time.Duration
	heal    bool
}

// releaseSimulateCommand lets a version fail, so that a team can rehearse a
// rollback. It is the one release command that needs butai: AWS has no such
// thing.
func (a *app) releaseSimulateCommand(o *releaseOptions) *cobra.Command {
	var s simulation
	cmd := &cobra.Command{
		Use:   "simulate FUNCTION:VERSION",
		Short: "On butai: let a version of a function fail or answer late, to rehearse a rollback",
		Example: `  butai release simulate user:2 --errors 20%
  butai release simulate user:2 --latency 800ms
  butai release simulate user:2 --heal`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.simulate(cmd.Context(), o, s, args) },
	}
	f := cmd.Flags()
	f.StringVar(&s.errors, "errors", "", "share of the calls that fail, such as 20%")
	f.DurationVar(&s.latency, "latency", 0, "what each call takes longer")
	f.BoolVar(&s.heal, "heal", false, "end the version's faults")
	return cmd
}

func (a *app) simulate(ctx context.Context, o *releaseOptions, s simulation, args []string) error {
	c := newClient()
	query := url.Values{"region": {c.Region}}
	var out struct {
		Faults []struct {
			Function, Version string
			ErrorRate         float64
			Latency           time.Duration
		} `json:"faults"`
	}
	var err error
	if len(args) == 0 {
		err = c.Get(ctx, faultsPage(query), &out)
	} else {
		if err := s.enter(query, args[0]); err != nil {
			return usageError{err}
		}
		err = c.Put(ctx, faultsPage(query), &out)
	}
	if err != nil {
		return fmt.Errorf("%s can't simulate faults; is it butai? %w", c.Endpoint, err)
	}
	if o.json {
		return a.printJSON(out.Faults)
	}
	const percent = 100
	for _, f := range out.Faults {
		fmt.Fprintf(a.out, "%s:%s: %g%% of the calls fail, each takes %s longer\n", f.Function, f.Version, f.ErrorRate*percent, f.Latency)
	}
	if len(out.Faults) == 0 {
		fmt.Fprintln(a.out, "no faults are simulated")
	}
	return nil
}

func faultsPage(query url.Values) string { return "/_butai/faults?" + query.Encode() }

// enter writes the simulation into a query.
func (s *simulation) enter(query url.Values, target string) error {
	function, version, ok := strings.Cut(target, ":")
	if !ok || function == "" || version == "" {
		return fmt.Errorf("want FUNCTION:VERSION, such as user:2, not %q", target)
	}
	rate := 0.0
	if s.errors != "" {
		var err error
		const percent = 100
		if rate, err = strconv.ParseFloat(strings.TrimSuffix(s.errors, "%"), 64); err != nil {
			return fmt.Errorf("--errors: want a share such as 20%%, not %q", s.errors)
		}
		rate /= percent
	}
	if s.heal != (rate == 0 && s.latency == 0) {
		return fmt.Errorf("say --errors or --latency, or --heal alone")
	}
	query.Set("function", function)
	query.Set("version", version)
	query.Set("errorRate", strconv.FormatFloat(rate, 'g', -1, 64))
	query.Set("latency", s.latency.String())
	return nil
}

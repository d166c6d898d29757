package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/server"
)

// coverageCommand prints which operations of each API are built. The answer
// comes from the same tables that serve requests.
func (a *app) coverageCommand() *cobra.Command {
	var markdown bool
	cmd := &cobra.Command{
		Use:   "coverage [service]",
		Short: "List the AWS operations that are built, and those that are refused",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			only := ""
			if len(args) > 0 {
				only = args[0]
			}
			return writeCoverage(a.out, server.Coverage(), only, markdown)
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print the README's table")
	return cmd
}

func writeCoverage(w io.Writer, services []server.ServiceCoverage, only string, markdown bool) error {
	if markdown {
		writeCoverageTable(w, services)
		return nil
	}
	found := false
	for _, s := range services {
		if only != "" && s.Name != only {
			continue
		}
		found = true
		fmt.Fprintf(w, "%s (%s): %d built, %d refused\n", s.Name, s.ID, len(s.Built), len(s.Refused))
		for _, op := range s.Built {
			fmt.Fprintf(w, "  built    %s\n", op)
		}
		for _, p := range s.Parameters {
			fmt.Fprintf(w, "  refused  %s\n", p)
		}
		for _, op := range s.Refused {
			fmt.Fprintf(w, "  refused  %s\n", op)
		}
	}
	if !found {
		return usageError{fmt.Errorf("no service %q: see 'butai coverage'", only)}
	}
	return nil
}

// writeCoverageTable is the README's table: numbers first, and the names for
// those who unfold them.
func writeCoverageTable(w io.Writer, services []server.ServiceCoverage) {
	fmt.Fprintln(w, "| service | operations built | refused |")
	fmt.Fprintln(w, "|---|---|---|")
	for _, s := range services {
		fmt.Fprintf(w, "| %s | %d | %d |\n", s.ID, len(s.Built), len(s.Refused))
	}
	fmt.Fprint(w, "\n<details><summary>The operations that are built, by name</summary>\n\n")
	for _, s := range services {
		fmt.Fprintf(w, "**%s**: %s\n\n", s.ID, strings.Join(s.Built, ", "))
	}
	fmt.Fprintln(w, "</details>")
}

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/gateway/vtl"
)

// vtlCommand is for people who write mapping templates.
func (a *app) vtlCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vtl",
		Short: "Try out mapping templates",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.vtlRenderCommand())
	return cmd
}

// vtlFiles are the files that one rendering is made of; "-" is standard input.
type vtlFiles struct{ template, body, context string }

func (a *app) vtlRenderCommand() *cobra.Command {
	var files vtlFiles
	var cases string
	var trace bool
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Render a mapping template as API Gateway would",
		Long: `render prints what a mapping template makes of a payload, and nothing else. On
an error it prints where and why on standard error, and exits with 1.

The context is JSON; each member may be left out:

  {
    "params": {"path": {"id": "7"}, "querystring": {}, "header": {"Accept": "*/*"}},
    "stageVariables": {"stage": "staging"},
    "context": {"stage": "staging", "identity": {"sourceIp": "192.0.2.1"}},
    "vars": {"list": [1, 2]}
  }

"vars" are further variables, here $list, that API Gateway itself doesn't have.

With --cases, each line of a file is one rendering: an object with "template",
"body" (a text) and the members above. Each answer line is {"out": …} or
{"err": …}.`,
		Example: `  butai vtl render --template request.vtl --body body.json --context context.json --trace
  butai vtl render --cases cases.jsonl`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cases != "" {
				if trace || files != (vtlFiles{}) {
					return usageError{errors.New("--cases stands alone: a case names its own template, body and context")}
				}
				return a.renderCases(cmd.InOrStdin(), cases)
			}
			if files.template == "" {
				return usageError{errors.New("--template or --cases is needed")}
			}
			return a.renderTemplate(cmd.InOrStdin(), files, trace)
		},
	}
	f := cmd.Flags()
	f.StringVar(&files.template, "template", "", "file of the template, or -")
	f.StringVar(&files.body, "body", "", "file of the payload that $input reads, or -; without it the payload is empty")
	f.StringVar(&files.context, "context", "", "JSON file of parameters, stage variables, $context and variables, or -")
	f.StringVar(&cases, "cases", "", "file with one case a line, or -")
	f.BoolVar(&trace, "trace", false, "tell each reference's value on standard error")
	return cmd
}

func (a *app) renderTemplate(stdin io.Reader, files vtlFiles, trace bool) error {
	var src, body, context []byte
	for _, f := range []struct {
		name string
		into *[]byte
	}{{files.template, &src}, {files.body, &body}, {files.context, &context}} {
		var err error
		if *f.into, err = readInput(stdin, f.name); err != nil {
			return err
		}
	}
	var c vtlContext
	if len(context) > 0 {
		if err := json.Unmarshal(context, &c); err != nil {
			return fmt.Errorf("%s: %w", files.context, err)
		}
	}
	var watch func(vtl.Reading)
	if trace {
		watch = func(r vtl.Reading) { fmt.Fprintf(a.err, "%d:%d: %s = %s\n", r.Line, r.Column, r.Source, r.Text()) }
	}
	out, err := c.render(string(src), body, watch)
	if err != nil {
		return err
	}
	_, err = a.out.Write(out)
	return err
}

// renderCases answers each line of a file, or of standard input, by a line.
func (a *app) renderCases(stdin io.Reader, name string) error {
	data, err := readInput(stdin, name)
	if err != nil {
		return err
	}
	answers := json.NewEncoder(a.out)
	answers.SetEscapeHTML(false)
	for line := range bytes.Lines(data) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := answers.Encode(answerCase(line)); err != nil {
			return err
		}
	}
	return nil
}

// readInput reads a file, or standard input for "-", or nothing for "".
func readInput(stdin io.Reader, name string) ([]byte, error) {
	switch name {
	case "":
		return nil, nil
	case "-":
		return io.ReadAll(stdin)
	}
	return os.ReadFile(name)
}

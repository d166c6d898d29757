package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
)

// invokeOptions are the flags of butai invoke.
type invokeOptions struct {
	payload, source   string
	async, log, debug bool
	port              int
}

// errFunction is the end of a call that the function has failed; its error was
// printed.
var errFunction = errors.New("the function failed")

// invokeCommand calls a function, under a debugger if asked to.
func (a *app) invokeCommand() *cobra.Command {
	o := &invokeOptions{}
	cmd := &cobra.Command{
		Use:   "invoke FUNCTION[:QUALIFIER]",
		Short: "Call a function, or debug it",
		Long: `Call a function and print its answer. If the function fails, its error goes to
standard error, and the exit code is 1.

With --debug the call gets a sandbox of its own, in which the runtime waits for
a debugger before it loads the handler: debugpy for Python (pip install
debugpy), the inspector for Node.js, JDWP for Java. The function's timeout
doesn't count. An address to attach to and a configuration for VS Code are
printed on standard error.

The server and credentials are those of the AWS tools: AWS_ENDPOINT_URL,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.`,
		Example: `  butai invoke my-function --payload '{"name": "ada"}'
  butai invoke my-function:prod --payload @event.json --log
  butai invoke my-function --payload @event.json --debug --port 5678`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			payload, err := readPayload(o.payload, cmd.InOrStdin())
			if err != nil {
				return err
			}
			switch {
			case o.debug && o.async:
				return usageError{errors.New("--debug waits for the answer, --async doesn't: say one of them")}
			case o.debug:
				return a.debug(cmd.Context(), o, args[0], payload)
			}
			return a.invoke(cmd.Context(), o, args[0], payload)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.payload, "payload", "p", "", "the event: JSON, @file, or - for standard input; {} if left out")
	f.BoolVar(&o.async, "async", false, "leave the event with the function's queue, and don't wait")
	f.BoolVar(&o.log, "log", false, "print the end of the function's log on standard error")
	f.BoolVar(&o.debug, "debug", false, "let a debugger attach before the handler is loaded")
	f.IntVar(&o.port, "port", 0, "with --debug: port on which the debugger waits; 0 picks one")
	f.StringVar(&o.source, "source", "", "with --debug: folder of the function's source; by default the one that butai dev has linked")
	return cmd
}

// readPayload returns the event that a --payload stands for.
func readPayload(text string, stdin io.Reader) ([]byte, error) {
	switch {
	case text == "":
		return []byte("{}"), nil
	case text == "-":
		return io.ReadAll(stdin)
	case strings.HasPrefix(text, "@"):
		return os.ReadFile(text[1:])
	}
	return []byte(text), nil
}

// splitFunction cuts a qualifier off a function's name or ARN.
func splitFunction(text string) (function, qualifier string) {
	colons := 0
	if strings.HasPrefix(text, "arn:") {
		const ofAnARN = 6 // arn:aws:lambda:region:account:function:name
		colons = ofAnARN
	}
	parts := strings.SplitAfterN(text, ":", colons+2)
	if len(parts) < colons+2 {
		return text, ""
	}
	qualifier = parts[len(parts)-1]
	return strings.TrimSuffix(text, ":"+qualifier), qualifier
}

func (a *app) invoke(ctx context.Context, o *invokeOptions, target string, payload []byte) error {
	function, qualifier := splitFunction(target)
	in := &lambdaapi.InvocationRequest{FunctionName: &function, Payload: payload}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	if o.async {
		in.InvocationType = wire.Ptr(lambdaapi.InvocationTypeEvent)
	} else if o.log {
		in.LogType = wire.Ptr(lambdaapi.LogTypeTail)
	}
	var out lambdaapi.InvocationResponse
	if err := newClient().Call(ctx, &lambdaapi.Service, "Invoke", in, &out); err != nil {
		return err
	}
	if o.async {
		fmt.Fprintf(a.err, "%s has the event\n", target)
		return nil
	}
	return a.printAnswer(out.Payload, wire.Val(out.FunctionError), decodeLog(out.LogResult))
}

// printAnswer prints how a call ended.
func (a *app) printAnswer(payload []byte, functionError string, log []byte) error {
	if len(log) > 0 {
		fmt.Fprintf(a.err, "%s\n", strings.TrimSuffix(string(log), "\n"))
	}
	if functionError != "" {
		fmt.Fprintf(a.err, "%s\n", payload)
		return outcome{error: errFunction, code: exitError, quiet: true}
	}
	fmt.Fprintf(a.out, "%s\n", payload)
	return nil
}

// Command butai is API Gateway, Lambda, DynamoDB and what belongs to them in
// one process, with a staging and a production of everything.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/butai-dev/butai/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

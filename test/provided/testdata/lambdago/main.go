// Command lambdago is a function as people write them with AWS's library, which
// runs here unmodified.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Name string
	Fail string
}

type answer struct {
	Greeting, RequestID, ARN, Function string
	Deadline                           bool
	Args                               []string
	Dir, Edition                       string // where it runs, and what EDITION says
}

func handle(ctx context.Context, e event) (*answer, error) {
	switch e.Fail {
	case "error":
		return nil, errors.New("no " + e.Name)
	case "panic":
		panic("lost " + e.Name)
	case "exit":
		os.Exit(3)
	}
	fmt.Println("greeting", e.Name)
	lc, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return nil, errors.New("no context")
	}
	deadline, ok := ctx.Deadline()
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return &answer{
		Greeting: "hello " + e.Name, RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn, Function: lambdacontext.FunctionName,
		Deadline: ok && time.Until(deadline) > 0,
		Args:     os.Args[1:], Dir: dir, Edition: os.Getenv("EDITION"),
	}, nil
}

func main() { lambda.Start(handle) }

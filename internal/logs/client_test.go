package logs_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// open lets everybody in.
type open struct{}

func (open) Lookup(string) *wire.Principal { return nil }

func (open) Authorize(context.Context, *wire.Caller, wire.IAMTarget) string { return "" }

func (r *rig) serve(t *testing.T) string {
	t.Helper()
	h, err := awsapi.New(awsapi.Config{
		Services: []awsapi.Registration{{Model: &logsapi.Service, Service: r.Service}},
		Keys:     open{}, Authorizer: open{}, Log: slog.New(slog.DiscardHandler), Clock: r.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func TestBoto3(t *testing.T) {
	t.Parallel()
	if exec.Command("python3.11", "-c", "import boto3").Run() != nil {
		t.Skip("needs python3.11 with boto3")
	}
	r := newRig(t, 0)
	cmd := exec.Command("python3.11", "testdata/client.py")
	cmd.Env = append(os.Environ(), "ENDPOINT="+r.serve(t), fmt.Sprint("NOW=", start.UnixMilli()))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	if version, _ := exec.Command("aws", "--version").Output(); !strings.HasPrefix(string(version), "aws-cli/2") {
		t.Skip("needs version 2 of the AWS CLI")
	}
	r := newRig(t, 0)
	r.put("/aws/lambda/f", "2026/03/01/[$LATEST]abc", 0, 1)
	cmd := exec.Command("aws", "logs", "tail", "/aws/lambda/f", "--since", "2026-02-28T00:00:00Z", "--endpoint-url", r.serve(t))
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY=x", "AWS_REGION="+region, "AWS_DEFAULT_REGION="+region)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "[$LATEST]abc ") != 4 || strings.Count(string(out), "\n") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
}

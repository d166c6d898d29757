// Package demo tells the story of staging and production on a running butai:
// deploy, answer, publish, change staging alone, promote, roll back. It shows
// each step as the command that a person would type.
package demo

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/butai-dev/butai/examples"
	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/client"
)

// Config is what Run needs.
type Config struct {
	URL             string // of the server
	Account, Region string
	Out             io.Writer
	// Runtime is the Lambda runtime of the handler, such as python3.11.
	Runtime string
	// Plain uses the built-in deployer even where terraform is installed.
	Plain bool
}

// deployer brings the example into the state that its settings describe.
type deployer interface {
	// deploy applies the settings and returns the API's id.
	deploy(ctx context.Context, s settings) (apiID string, err error)
	// command is what a person would type for it.
	command(s settings) string
}

// settings are the variables of the example's Terraform.
type settings struct {
	code              string // path of the handler's zip
	productionVersion string
	productionRelease string
}

// story is one run of the demo.
type story struct {
	Config
	dir    string // working copy of the example
	api    string
	deploy deployer
	aws    *client.Client
}

// Run tells the story and returns the URLs of the two stages.
func Run(ctx context.Context, cfg Config) (staging, production string, err error) {
	s := &story{Config: cfg}
	if s.dir, err = os.MkdirTemp("", "butai-demo-"); err != nil {
		return "", "", err
	}
	defer os.RemoveAll(s.dir)
	if err := s.unpack(); err != nil {
		return "", "", err
	}
	// The account is the access key; any secret does for a key that butai
	// didn't issue.
	s.aws = &client.Client{Endpoint: s.URL, Region: s.Region, Clock: clock.System{},
		Credentials: sigv4.Credentials{AccessKeyID: s.Account, SecretAccessKey: "butai"}}
	s.deploy = s.pickDeployer(ctx)
	err = s.tell(ctx)
	return s.stage("staging"), s.stage("production"), err
}

// tell runs the steps in order.
func (s *story) tell(ctx context.Context) error {
	now := settings{code: "handler.zip", productionVersion: "$LATEST", productionRelease: "1"}
	for _, step := range []struct {
		title string
		run   func(context.Context) error
	}{
		{"Deploy one API and one function, with a staging and a production stage", func(ctx context.Context) error { return s.apply(ctx, now) }},
		{"Staging answers, from its own table", s.useStaging},
		{"Publish the verified code as a version and give it to production", func(ctx context.Context) error {
			version, err := s.publish(ctx)
			now.productionVersion = version
			return firstError(err, func() error { return s.apply(ctx, now) })
		}},
		{"Production answers, and knows nothing of staging's users", s.useProduction},
		{"Change the code: staging follows, production stays", func(ctx context.Context) error {
			return firstError(s.changeCode(), func() error { return s.apply(ctx, now) }, s.compare)
		}},
		{"Promote: publish the new code and give it to production", func(ctx context.Context) error {
			version, err := s.publish(ctx)
			now.productionVersion = version
			return firstError(err, func() error { return s.apply(ctx, now) }, s.compare)
		}},
		{"Roll back: production runs version 1 again", func(ctx context.Context) error {
			now.productionVersion = "1"
			return firstError(s.apply(ctx, now), s.compare)
		}},
	} {
		fmt.Fprintf(s.Out, "\n— %s\n", step.title)
		started := time.Now()
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", strings.ToLower(step.title), err)
		}
		fmt.Fprintf(s.Out, "  (%.1f s)\n", time.Since(started).Seconds())
	}
	return nil
}

func firstError(err error, then ...func() error) error {
	for _, next := range then {
		if err != nil {
			return err
		}
		err = next()
	}
	return err
}

// unpack writes the example into the working copy and zips its handler.
func (s *story) unpack() error {
	root, err := fs.Sub(examples.UserAPI, "user-api")
	if err != nil {
		return err
	}
	if err := os.CopyFS(s.dir, root); err != nil {
		return err
	}
	return s.zip()
}

func (s *story) handler() string { return filepath.Join(s.dir, "handler", "main.py") }

func (s *story) zip() error {
	source, err := os.ReadFile(s.handler())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("main.py")
	if err != nil {
		return err
	}
	if _, err := w.Write(source); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, "handler.zip"), b.Bytes(), 0o644)
}

// changeCode makes version two of the handler: it greets.
func (s *story) changeCode() error {
	source, err := os.ReadFile(s.handler())
	if err != nil {
		return err
	}
	const before = `return {"id": user["id"], "name": user["name"]}`
	const after = `return {"id": user["id"], "name": user["name"], "greeting": "Hello, " + user["name"] + "!"}`
	changed := strings.Replace(string(source), before, after, 1)
	if changed == string(source) {
		return fmt.Errorf("the example's handler has changed: %q is not in it", before)
	}
	s.show("sed -i 's/…/…/' handler/main.py && (cd handler && zip -r ../handler.zip .)")
	fmt.Fprintf(s.Out, "  - %s\n  + %s\n", before, after)
	if err := os.WriteFile(s.handler(), []byte(changed), 0o644); err != nil {
		return err
	}
	return s.zip()
}

func (s *story) show(command string) { fmt.Fprintf(s.Out, "  $ %s\n", command) }

func (s *story) apply(ctx context.Context, now settings) error {
	s.show(s.deploy.command(now))
	api, err := s.deploy.deploy(ctx, now)
	s.api = api
	return err
}

func (s *story) publish(ctx context.Context) (string, error) {
	s.show("aws lambda publish-version --function-name user --query Version")
	var out lambdaapi.FunctionConfiguration
	if err := s.aws.Call(ctx, &lambdaapi.Service, "PublishVersion", &lambdaapi.PublishVersionRequest{FunctionName: wire.Ptr("user")}, &out); err != nil {
		return "", fmt.Errorf("PublishVersion: %w", err)
	}
	fmt.Fprintf(s.Out, "  %q\n", *out.Version)
	return *out.Version, nil
}

func (s *story) stage(name string) string {
	return s.URL + "/_aws/execute-api/" + s.api + "/" + name
}

func (s *story) useStaging(ctx context.Context) error {
	return firstError(
		s.request(ctx, http.MethodPost, "staging", "/user/ada", `{"name": "Ada"}`),
		func() error { return s.request(ctx, http.MethodGet, "staging", "/user/ada", "") },
		func() error { return s.request(ctx, http.MethodGet, "staging", "/user/nobody", "") },
	)
}

func (s *story) useProduction(ctx context.Context) error {
	return firstError(
		s.request(ctx, http.MethodGet, "production", "/user/ada", ""),
		func() error { return s.request(ctx, http.MethodPost, "production", "/user/ada", `{"name": "Ada"}`) },
	)
}

func (s *story) compare() error {
	return firstError(
		s.request(context.Background(), http.MethodGet, "staging", "/user/ada", ""),
		func() error { return s.request(context.Background(), http.MethodGet, "production", "/user/ada", "") },
	)
}

// request sends one request as curl would and shows the answer.
func (s *story) request(ctx context.Context, method, stage, path, body string) error {
	url := s.stage(stage) + path
	if body == "" {
		s.show("curl " + url)
	} else {
		s.show(fmt.Sprintf("curl -H 'Content-Type: application/json' -d '%s' %s", body, url))
	}
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "  %d %s\n", res.StatusCode, bytes.TrimSpace(answer))
	if res.StatusCode >= 500 {
		return fmt.Errorf("%s %s answered %d", method, url, res.StatusCode)
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	region  = "us-east-1"
	account = "000000000000"
	// rootKey is a key that butai didn't issue: the account's root user.
	rootKey = account
	// startLimit is how long anything may take to answer for the first time.
	startLimit = 30 * time.Second
)

// server is a running butai, as a user would run it: everything on, its data
// on disk.
type server struct {
	address string
	cmd     *exec.Cmd
	log     bytes.Buffer
	ready   time.Duration // from exec to the first answer of an AWS API
	invoker key           // an IAM user's that may invoke functions, once made
}

// startServer runs butai on a data directory, with more flags if need be.
func (b *bench) startServer(ctx context.Context, data string, flags ...string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &server{address: address}
	line := append([]string{"serve", "--listen", address, "--data-dir", data, "--account-throttle", "off"}, flags...)
	s.cmd = exec.Command(b.binary, line...)
	s.cmd.Stderr = &s.log
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "AWS_") {
			s.cmd.Env = append(s.cmd.Env, pair)
		}
	}
	question, err := s.request(ctx, rootKey, "dynamodb", "DynamoDB_20120810.ListTables", "{}")
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	first := endpoint{address: address, request: always(question), check: answered}
	if err := awaitAnswer(ctx, &first); err != nil {
		return nil, errors.Join(err, s.stop(), fmt.Errorf("its log: %s", &s.log))
	}
	s.ready = time.Since(begin)
	return s, nil
}

// withServer runs part of the bench against a server of its own, which it stops
// afterwards, and a deployer for it.
func (b *bench) withServer(ctx context.Context, name string, flags []string, part func(context.Context, *server, *deployer) error) error {
	s, err := b.startServer(ctx, filepath.Join(b.dir, name), flags...)
	if err != nil {
		return err
	}
	d, err := newDeployer(ctx, s)
	if err == nil {
		err = part(ctx, s, d)
	}
	return errors.Join(err, s.stop())
}

func answered(status int, body []byte) error {
	if status != 200 {
		return fmt.Errorf("got %d %.300q", status, body)
	}
	return nil
}

// awaitAnswer calls until an answer is right.
func awaitAnswer(ctx context.Context, e *endpoint) error {
	c := connection{endpoint: e}
	defer c.close()
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		err := c.call()
		if err == nil {
			return nil
		}
		if time.Since(begin) > startLimit || ctx.Err() != nil {
			return fmt.Errorf("no right answer from %s: %w", e.address, err)
		}
	}
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *server) pid() int { return s.cmd.Process.Pid }

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

// sdk configures AWS's SDK for the server.
func (s *server) sdk() aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String("http://" + s.address),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: rootKey, SecretAccessKey: "butai"}, nil
		}),
	}
}

// Package server is the front hall: it opens the store, builds every service,
// hands each what it needs, and listens. It is the only room that knows them
// all.
package server

import (
	"log/slog"
	"net/url"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/lambda/image"
)

// Defaults of the command line.
const (
	DefaultListen  = "127.0.0.1:4566"
	DefaultAccount = "000000000000"
	DefaultRegion  = "us-east-1"
	DefaultTraces  = 500
)

// Throttle is a token bucket's rate in requests per second and its size. The
// zero Throttle is no limit.
type Throttle struct {
	Rate  float64
	Burst int64
}

// Values of Config.Spares.
const (
	DefaultSpares = function.DefaultSpares
	NoSpares      = function.NoSpares
)

// Config is what New needs. Log and Clock are required.
type Config struct {
	Listen string // host:port; port 0 picks a free one
	HTTPS  string // host:port of the HTTPS listener; "" for none

	DataDir     string // where everything durable is kept
	Ephemeral   bool   // use a temporary data directory and delete it at the end
	PostgresURL string // keep records in PostgreSQL; "" means SQLite in DataDir

	StrictCredentials bool
	Runtimes          map[string]string   // interpreter paths by runtime id
	Isolation         string              // as sandbox.ParseWish reads it; "" means any
	Spares            int                 // booted sandboxes kept for each runtime in use; 0 for the default, below it none
	Freeze            bool                // stop sandboxes between calls, as AWS does
	AccountThrottle   Throttle            // over all REST APIs of an account's region
	VPCLinks          map[string]*url.URL // addresses behind API Gateway's VPC links, by id, name or load balancer ARN
	// CognitoKeys are where the keys of user pools are fetched, by the pool's
	// ARN or id. Others are fetched from Cognito itself.
	CognitoKeys map[string]string

	// Images are where container images of ECR's addresses are looked for.
	Images []image.Source

	Tracing gateway.Tracing // of the gateway's requests

	Log   *slog.Logger
	Clock clock.Clock
}

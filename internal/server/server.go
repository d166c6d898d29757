package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/butai-dev/butai/internal/acm"
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/apigateway"
	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/ca"
	"github.com/butai-dev/butai/internal/cloudwatch"
	"github.com/butai-dev/butai/internal/dynamodb"
	"github.com/butai-dev/butai/internal/ecr"
	"github.com/butai-dev/butai/internal/edge"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/function/fault"
	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/function/sandbox"
	"github.com/butai-dev/butai/internal/functionurl"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/iam"
	"github.com/butai-dev/butai/internal/lambda"
	"github.com/butai-dev/butai/internal/logs"
	"github.com/butai-dev/butai/internal/route53"
	"github.com/butai-dev/butai/internal/s3"
	"github.com/butai-dev/butai/internal/sns"
	"github.com/butai-dev/butai/internal/sqs"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/postgres"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/sts"
)

// Server is all of butai, built and ready to serve.
type Server struct {
	cfg      Config
	listener net.Listener
	secure   net.Listener // HTTPS; nil without
	store    store.Store
	services services
	runtimes *runtimes.Set
	engine   *function.Engine
	catalog  *catalog.Catalog
	faults   *fault.Injector
	urls     *functionurl.Server
	gateway  *gateway.Gateway
	aws      *awsServices
	handler  http.Handler
	ready    atomic.Bool
	floor    []byte         // see heapFloor
	closers  []func() error // run last to first
}

// New builds the server: listeners, store, services, data plane, front door.
// It answers nothing before Serve. Close it even if it never served.
func New(ctx context.Context, cfg Config) (*Server, error) {
	s := &Server{cfg: cfg}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"listen", s.listen},
		{"prepare the data directory", s.prepareDataDir},
		{"open the store", s.openStore},
		{"start IAM and STS", s.startIAM},
		{"start KMS", s.startKMS},
		{"start CloudWatch", s.startCloudWatch},
		{"start CloudWatch Logs", s.startLogs},
		{"start DynamoDB", s.startDynamoDB},
		{"start S3", s.startS3},
		{"start SQS", s.startSQS},
		{"start ECR", s.startECR},
		{"start SNS", s.startSNS},
		{"start EventBridge", s.startEvents},
		{"start Lambda", s.startLambda},
		{"start Secrets Manager and Parameter Store", s.startSecrets},
		{"start Route 53 and ACM", s.startNames},
		{"start API Gateway", s.startGateway},
		{"build the front door", s.buildHandler},
	} {
		if err := step.run(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", step.name, err), s.Close())
		}
	}
	return s, nil
}

func (s *Server) onClose(fn func() error) { s.closers = append(s.closers, fn) }

// Close ends everything in the reverse order of its start.
func (s *Server) Close() error {
	var errs []error
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		errs = append(errs, s.closers[last]())
		s.closers = s.closers[:last]
	}
	return errors.Join(errs...)
}

func (s *Server) prepareDataDir(context.Context) error {
	if s.cfg.Ephemeral {
		dir, err := os.MkdirTemp("", "butai-")
		if err != nil {
			return err
		}
		s.cfg.DataDir = dir
		s.onClose(func() error { return os.RemoveAll(dir) })
	}
	dir, err := filepath.Abs(s.cfg.DataDir)
	if err != nil {
		return err
	}
	s.cfg.DataDir = dir
	return os.MkdirAll(dir, 0o700)
}

// Folders of the data directory, beside the store's files.
const (
	caDir      = "ca"
	codeDir    = "code"
	imageDir   = "images"
	ecrDir     = "ecr"
	objectDir  = "objects"
	sandboxDir = "sandbox"
)

func (s *Server) dir(name string) string { return filepath.Join(s.cfg.DataDir, name) }

func (s *Server) openStore(ctx context.Context) (err error) {
	switch {
	case s.cfg.PostgresURL != "":
		s.store, err = postgres.Open(ctx, s.cfg.PostgresURL, postgres.Options{})
	case s.cfg.Ephemeral:
		s.store, err = sqlite.OpenMemory(ctx, sqlite.Options{})
	default:
		s.store, err = sqlite.Open(ctx, s.cfg.DataDir, sqlite.Options{})
	}
	if err == nil {
		s.onClose(s.store.Close)
	}
	return err
}

func (s *Server) startIAM(ctx context.Context) (err error) {
	s.services.iam, err = iam.New(ctx, iam.Config{Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log})
	s.services.sts = sts.New(s.services.iam)
	return err
}

func (s *Server) startCloudWatch(ctx context.Context) (err error) {
	s.services.cloudwatch, err = cloudwatch.New(ctx, cloudwatch.Config{Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log})
	if err == nil {
		s.onClose(s.services.cloudwatch.Close)
	}
	return err
}

func (s *Server) startLogs(ctx context.Context) (err error) {
	s.services.logs, err = logs.New(ctx, logs.Config{Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Metrics: s.services.cloudwatch, Keys: resourceKeys{s.services.kms, "logs"}})
	if err == nil {
		s.onClose(s.services.logs.Close)
	}
	return err
}

func (s *Server) startDynamoDB(context.Context) error {
	s.services.dynamodb = dynamodb.New(dynamodb.Config{Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Keys: resourceKeys{s.services.kms, "dynamodb"}})
	s.services.streams = dynamodb.NewStreams(s.services.dynamodb)
	s.inBackground(s.services.dynamodb.Run)
	return nil
}

func (s *Server) startS3(ctx context.Context) (err error) {
	s.services.s3, err = s3.New(ctx, s3.Config{
		Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Dir: s.dir(objectDir), Targets: &bucketTargets{&s.services},
		IAM: s.services.iam, Keys: resourceKeys{s.services.kms, "s3"},
	})
	if err == nil {
		s.onClose(func() error { return s.services.s3.Close(ctx) })
	}
	return err
}

func (s *Server) startSQS(context.Context) error {
	s.services.sqs = sqs.New(sqs.Config{Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Keys: resourceKeys{s.services.kms, "sqs"}})
	return nil
}

func (s *Server) startSNS(ctx context.Context) (err error) {
	s.services.sns, err = sns.New(ctx, sns.Config{
		Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Targets: &topicTargets{&s.services}, URL: s.URL(), Certificate: s.messageCertificate,
		Keys: resourceKeys{s.services.kms, "sns"},
	})
	if err == nil {
		s.onClose(func() error { return s.services.sns.Close(ctx) })
	}
	return err
}

func (s *Server) startLambda(ctx context.Context) (err error) {
	if s.runtimes, err = runtimes.Discover(ctx, s.cfg.Runtimes); err != nil {
		return err
	}
	wish := sandbox.Auto()
	if s.cfg.Isolation != "" {
		if wish, err = sandbox.ParseWish(s.cfg.Isolation); err != nil {
			return err
		}
	}
	s.engine, err = function.New(function.Config{
		Dir: s.dir(sandboxDir), Logger: s.cfg.Log, Clock: s.cfg.Clock, Runtimes: s.runtimes, Isolation: wish, Spares: s.cfg.Spares, Freeze: s.cfg.Freeze,
		Roles: functionRoles{s.services.iam}, Logs: s.services.logs,
		Environment: map[string]string{"AWS_ENDPOINT_URL": s.URL()},
	})
	if err != nil {
		return err
	}
	s.onClose(s.engine.Close)
	s.faults = fault.New(s.engine)
	metered := catalog.Meter(s.faults, s.cfg.Clock)
	s.services.cloudwatch.Gather(metered.DrainMetrics)
	s.catalog = catalog.New(metered)
	s.urls = functionurl.New(functionurl.Config{
		Functions: s.catalog, Signers: urlSigners{s.signers()}, Clock: s.cfg.Clock, Log: s.cfg.Log,
	})
	s.services.lambda, err = lambda.New(ctx, lambda.Config{
		Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Engine: s.engine, Catalog: s.catalog, CodeDir: s.dir(codeDir),
		ImageDir: s.dir(imageDir), Images: s.imageFinder(),
		Objects: objects{s.services.s3}, Roles: s.services.iam, Principals: s.services.iam, Runtimes: s.runtimes,
		Targets: &lambdaTargets{&s.services}, URLs: s.urls, Sources: &lambdaSources{&s.services}, Keys: functionKeys{s.services.kms},
	})
	if err == nil {
		s.services.logs.DeliverTo(subscribedFunctions{s.services.lambda})
		s.onClose(func() error { return s.services.lambda.Close(ctx) })
	}
	return err
}

func (s *Server) startGateway(ctx context.Context) (err error) {
	s.aws = newAWSServices(&s.services, s.cfg.Clock)
	s.gateway = gateway.New(gateway.Config{
		Functions: &gatewayFunctions{lambda: s.services.lambda, iam: s.services.iam}, Logs: gatewayLogs{s.services.logs},
		Signers: s.signers(), UserPools: s.userPools(),
		Clock: s.cfg.Clock, Log: s.cfg.Log, Tracing: s.cfg.Tracing, Services: s.aws, VPCLinks: s.cfg.VPCLinks,
	})
	s.services.cloudwatch.Gather(s.gateway.DrainMetrics)
	s.services.apigateway, err = apigateway.New(ctx, apigateway.Config{
		Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Gateway: s.gateway, Services: s.aws, Principals: s.services.iam,
		Certificates: Authority(s.cfg.DataDir, s.cfg.Clock), DomainCertificates: s.services.acm, Objects: objects{s.services.s3},
		AccountThrottle: s.cfg.AccountThrottle.settings(),
	})
	if err == nil {
		s.services.apigatewayv2 = apigateway.NewV2(s.services.apigateway)
		s.inBackground(s.services.apigateway.Run)
	}
	return err
}

// settings has a limit of -1 for none, as Terraform writes it.
func (t Throttle) settings() apigatewayapi.ThrottleSettings {
	if t == (Throttle{}) {
		t = Throttle{Rate: -1, Burst: -1}
	}
	return apigatewayapi.ThrottleSettings{RateLimit: &t.Rate, BurstLimit: &t.Burst}
}

// inBackground runs work until Close, which waits for its end.
func (s *Server) inBackground(run func(context.Context) error) {
	work, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(work) }()
	s.onClose(func() error {
		stop()
		return <-ended
	})
}

func (s *Server) startNames(context.Context) error {
	s.services.route53 = route53.New(route53.Config{Store: s.store, Clock: s.cfg.Clock})
	s.services.acm = acm.New(acm.Config{
		Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Records: s.services.route53,
		Authority: ca.New(s.dir(caDir), s.cfg.Clock),
	})
	return nil
}

func (s *Server) buildHandler(context.Context) error {
	api, err := awsapi.New(awsapi.Config{
		Services: s.services.registrations(), Keys: s.services.iam, Authorizer: s.services.iam,
		Log: s.cfg.Log, Clock: s.cfg.Clock, StrictCredentials: s.cfg.StrictCredentials, Suspect: s.fromFunction,
	})
	if err != nil {
		return err
	}
	s.aws.api = api
	s.services.s3.Start()
	s.services.sns.Start()
	s.services.events.Start()
	s.services.secretsmanager.Start()
	codePath, code := s.services.lambda.CodeHandler()
	s.handler = edge.New(edge.Config{API: codeOr(codePath, code, topicLinks(s.services.sns, api)), Gateway: s.gateway, FunctionURLs: s.urls, Traces: traceHandler(api, s.gateway),
		Registry: s.services.ecr, IsRegistry: ecr.IsRegistry,
		Faults: faultHandler(api, s.faults), Debug: s.debugHandler(api), Ready: s.ready.Load})
	return nil
}

// codeOr serves downloads of function code, which are below a path; everything
// else is the AWS APIs'.
func codeOr(below string, code, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, below) {
			code.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

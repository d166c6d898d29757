// Package apigateway is the control plane of Amazon API Gateway REST APIs
// (v1): it keeps APIs, deployments, stages and custom domains in the store and
// publishes what clients may call to package gateway, the data plane.
package apigateway

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Publisher is the data plane. *gateway.Gateway implements it.
type Publisher interface {
	PublishStage(*gateway.Stage) error
	RemoveStage(apiID, stage string)
	FlushCache(apiID, stage string)
	PublishDomain(*gateway.DomainName) error
	RemoveDomain(name string)
	PublishUsagePlans(*gateway.UsagePlans)
	SaveUsage(save func([]gateway.KeyUsage) error) error
	GrantUsage(account, region, planID, keyID string, remaining int64) bool
	FlushAuthorizers(apiID, stage string)
	TestMethod(context.Context, *gateway.MethodTest) (*apigatewayapi.TestInvokeMethodResponse, error)
	TestAuthorizer(context.Context, *gateway.AuthorizerTest) (*apigatewayapi.TestInvokeAuthorizerResponse, error)
}

// Principals is IAM as far as resource policies need it.
type Principals interface {
	// Exists reports whether there is a user, role or account of this ARN.
	Exists(arn string) bool
}

// Config is what New needs; every field is required.
type Config struct {
	Store   store.Store
	Clock   clock.Clock
	Log     *slog.Logger
	Gateway Publisher
	// Services knows the AWS services that integrations may call.
	Services interface{ Serves(service string) bool }
	// Principals knows who can be named in a resource policy.
	Principals Principals
	// Certificates makes client certificates.
	Certificates Certificates
	// DomainCertificates are those that custom domains have.
	DomainCertificates DomainCertificates
	// Objects are where truststores of mutual TLS come from.
	Objects Objects
	// AccountThrottle limits the requests to all APIs of an account's region;
	// a negative rate is no limit.
	AccountThrottle apigatewayapi.ThrottleSettings
}

// Service implements API Gateway. Records are kept by account and region.
type Service struct {
	Config
	// publishing is held from reading the store until the data plane has
	// what was read, so that the last publish always shows the last commit.
	publishing sync.Mutex
	counting   []scope // whose usage plans were published
}

// A record's id begins with account and region; below an API, its id follows.
// Methods, integrations and their responses live in their resource's record.
var (
	apis        = record.New[apigatewayapi.RestApi]("apigateway", "restapi")
	resources   = record.New[apigatewayapi.Resource]("apigateway", "resource")
	models      = record.New[apigatewayapi.Model]("apigateway", "model")
	authorizers = record.New[apigatewayapi.Authorizer]("apigateway", "authorizer")
	deployments = record.New[apigatewayapi.Deployment]("apigateway", "deployment")
	snapshots   = record.New[gateway.Deployment]("apigateway", "snapshot")
	stages      = record.New[stage]("apigateway", "stage")
	accounts    = record.New[apigatewayapi.Account]("apigateway", "account")
	domains     = record.New[domain]("apigateway", "domain")
	mappings    = record.New[apigatewayapi.BasePathMapping]("apigateway", "mapping")

	gatewayResponses   = record.New[apigatewayapi.GatewayResponse]("apigateway", "gatewayresponse")
	requestValidators  = record.New[apigatewayapi.RequestValidator]("apigateway", "requestvalidator")
	owners             = record.New[scope]("apigateway", "domainowner")
	vpcLinks           = record.New[apigatewayapi.VpcLink]("apigateway", "vpclink")
	clientCertificates = record.New[clientCertificate]("apigateway", "clientcertificate")
)

// New opens the service over its store and publishes every stage and domain
// in it.
func New(ctx context.Context, cfg Config) (*Service, error) {
	s := &Service{Config: cfg}
	return s, s.publishAll(ctx)
}

// scope is whose records a call is about.
type scope struct{ Account, Region string }

func scopeOf(ctx context.Context) scope {
	c := wire.CallerFrom(ctx)
	return scope{Account: c.Account, Region: c.Region}
}

// id is a record id in the scope.
func (sc scope) id(parts ...string) []string {
	return append([]string{sc.Account, sc.Region}, parts...)
}

// now is the current time to the second, as API Gateway prints it.
func (s *Service) now() *time.Time {
	return wire.Ptr(s.Clock.Now().Truncate(time.Second))
}

// view runs fn over one snapshot of the store and returns its result.
func view[T any](ctx context.Context, s *Service, fn func(store.ReadTx) (T, error)) (T, error) {
	var out T
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		out, err = fn(r)
		return err
	})
	return out, err
}

// update runs fn in a transaction and returns its result.
func update[T any](ctx context.Context, s *Service, fn func(store.Tx) (T, error)) (T, error) {
	var out T
	err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
		out, err = fn(tx)
		return err
	})
	return out, err
}

// find reads a record and answers missing if there is none.
func find[T any](r store.ReadTx, c record.Collection[T], missing error, id []string) (*T, error) {
	v, err := c.Get(r, id...)
	if err == nil && v == nil {
		err = missing
	}
	return v, err
}

// values strips the pointers that a listing yields.
func values[T any](items []*T) []T {
	out := make([]T, len(items))
	for i, v := range items {
		out[i] = *v
	}
	return out
}

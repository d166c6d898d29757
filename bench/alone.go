package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// The API of the gateway alone: a MOCK with templates both ways.
const (
	mockRequest  = `#set($name = $input.path('$.name')){"statusCode": #if($name == "")400#{else}200#end}`
	mockResponse = `{"id": "$input.params('id')", "stage": "$stageVariables.stage"}`
	mockBody     = `{"name": "Ada", "tags": ["a", "b"]}`
	mockAnswer   = `{"id": "ada", "stage": "production"}`
)

// measureAlone measures the gateway without a function behind it, against a
// net/http server that does nothing.
func (b *bench) measureAlone(ctx context.Context, s *server, _ *deployer) (err error) {
	gateway := apigateway.NewFromConfig(s.sdk())
	path, err := deployMock(ctx, gateway)
	if err != nil {
		return err
	}
	ceiling, err := startEcho()
	if err != nil {
		return err
	}
	defer ceiling.stop()
	butai := &endpoint{address: s.address, roots: []int{s.pid()}, request: always(post(s.address, path, mockBody)), check: expect(mockAnswer)}
	bare := ceiling.as(post(ceiling.address, "/", mockBody), mockBody)
	for _, c := range []int{1, 16} {
		all, err := b.contest(ctx, c, butai, bare)
		if err != nil {
			return err
		}
		at := fmt.Sprintf("POST to a MOCK through two templates, c=%d", c)
		ours, theirs := all[0], all[1]
		b.report.add(at, "calls/s", ours.of(perSecond), "net/http echo", theirs.of(perSecond), bar{ratioAtLeast: 0.6})
		b.report.add(at+", p50", "ms", ours.of(p50), "net/http echo", theirs.of(p50), bar{})
		b.report.add(at+", processor time", "ms/call", ours.of(cpu), "net/http echo", theirs.of(cpu), bar{})
		if c == 1 {
			b.report.add(at+", p50 beyond the echo's", "µs", ours.of(p50).beyond(theirs.of(p50), 1000), "", nil, bar{atMost: 40})
		}
	}
	return b.measureDeployment(ctx, gateway)
}

// beyond subtracts round by round, and scales.
func (s series) beyond(base series, scale float64) series {
	out := make(series, min(len(s), len(base)))
	for i := range out {
		out[i] = (s[i] - base[i]) * scale
	}
	return out
}

// post is a POST request with a JSON body.
func post(host, path, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\nUser-Agent: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, host, len(body), body)
}

func deployMock(ctx context.Context, gateway *apigateway.Client) (path string, err error) {
	api, err := gateway.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: aws.String("mock")})
	if err != nil {
		return "", err
	}
	item, err := gateway.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: api.Id, ParentId: api.RootResourceId, PathPart: aws.String("{id}")})
	if err != nil {
		return "", err
	}
	if err := putMock(ctx, gateway, *api.Id, *item.Id, mockRequest, mockResponse); err != nil {
		return "", err
	}
	_, err = gateway.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{
		RestApiId: api.Id, StageName: aws.String(stage), Variables: map[string]string{"stage": stage},
	})
	return "/_aws/execute-api/" + *api.Id + "/" + stage + "/ada", err
}

func putMock(ctx context.Context, gateway *apigateway.Client, api, resource, request, response string) error {
	verb, ok := aws.String("POST"), aws.String("200")
	if _, err := gateway.PutMethod(ctx, &apigateway.PutMethodInput{
		RestApiId: &api, ResourceId: &resource, HttpMethod: verb, AuthorizationType: aws.String("NONE"),
	}); err != nil {
		return err
	}
	if _, err := gateway.PutIntegration(ctx, &apigateway.PutIntegrationInput{
		RestApiId: &api, ResourceId: &resource, HttpMethod: verb, Type: apitypes.IntegrationTypeMock,
		RequestTemplates: map[string]string{"application/json": request},
	}); err != nil {
		return err
	}
	if _, err := gateway.PutMethodResponse(ctx, &apigateway.PutMethodResponseInput{
		RestApiId: &api, ResourceId: &resource, HttpMethod: verb, StatusCode: ok,
	}); err != nil {
		return err
	}
	_, err := gateway.PutIntegrationResponse(ctx, &apigateway.PutIntegrationResponseInput{
		RestApiId: &api, ResourceId: &resource, HttpMethod: verb, StatusCode: ok,
		ResponseTemplates: map[string]string{"application/json": response},
	})
	return err
}

// largeAPI is how many resources an API may have (developer guide, "Amazon API
// Gateway quotas").
const largeAPI = 300

// measureDeployment measures CreateDeployment of a large API, durable and
// served before it answers.
func (b *bench) measureDeployment(ctx context.Context, gateway *apigateway.Client) error {
	api, err := gateway.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: aws.String("large")})
	if err != nil {
		return err
	}
	for i := range largeAPI - 1 { // the root is one
		r, err := gateway.CreateResource(ctx, &apigateway.CreateResourceInput{
			RestApiId: api.Id, ParentId: api.RootResourceId, PathPart: aws.String(fmt.Sprintf("item%d", i)),
		})
		if err != nil {
			return err
		}
		if err := putMock(ctx, gateway, *api.Id, *r.Id, mockRequest, mockResponse); err != nil {
			return err
		}
	}
	var took series
	for range b.rounds + 1 {
		begin := time.Now()
		if _, err := gateway.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: aws.String(stage)}); err != nil {
			return err
		}
		took = append(took, millis(time.Since(begin)))
	}
	b.report.add(fmt.Sprintf("CreateDeployment of %d resources", largeAPI), "ms", took[1:], "", nil, bar{atMost: 50})
	return nil
}

// measureGrowth measures one request inside the gateway while there are more
// and more resources, APIs and stages.
func (b *bench) measureGrowth(ctx context.Context) error {
	binary := filepath.Join(b.dir, "gateway.test")
	if err := compileTest(ctx, gatewayFolder, binary); err != nil {
		return err
	}
	sizes := []string{"10 resources", "300 resources", "10000 resources", "1 API", "1000 APIs", "200 stages"}
	times := map[string]series{}
	for range b.rounds {
		for _, size := range sizes {
			r, err := b.goBenchmark(ctx, binary, gatewayFolder, "^BenchmarkGrowth$/^"+testName(size)+"$")
			if err != nil {
				return err
			}
			times[size] = append(times[size], r.nanoseconds)
		}
	}
	for _, size := range sizes {
		b.report.add("request in the gateway with "+size, "ns", times[size], sizes[0], times[sizes[0]], bar{})
	}
	return nil
}

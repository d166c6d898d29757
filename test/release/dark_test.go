package release

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"github.com/butai-dev/butai/test/harness"
)

// TestDark serves the new pair on a stage of its own until somebody agrees.
func TestDark(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	w.does(0, "init")
	w.configure(map[string]string{"propagation: 1s": "propagation: 100ms"})
	w.becomeReleaser()
	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.does(0, "deploy", "staging")
	w.says(4, "waits for somebody's approval", "promote", "--strategy", "dark")
	w.does(0, "abort", "production")
	if a := w.ask("production_dark"); a.Status != 403 {
		t.Errorf("the dark stage of an aborted release is there still: %+v", a)
	}
	w.says(4, "waits for somebody's approval", "promote", "--strategy", "dark")
	w.serves("production", "gateway-1", "code-1")
	if a := w.ask("production_dark"); a.Gateway != "gateway-2" || a.Code != "code-2" || a.Stage != "production" {
		t.Errorf("the dark stage answers %+v", a)
	}
	w.does(0, "resume")
	w.serves("production", "gateway-2", "code-2")
	if a := w.ask("production_dark"); a.Status != 403 {
		t.Errorf("the dark stage is there still: %+v", a)
	}
}

// TestDarkByHeader finds a release in the dark at production's own domain, by
// a header; the domain's other requests don't notice.
func TestDarkByHeader(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	w.makeDomain("shop.sample.example", "shop")
	w.does(0, "init")
	w.configure(map[string]string{"propagation: 1s": "propagation: 100ms", "status: 200": "status: 200\n      version: $.version\n    stages: [production]"})
	w.becomeReleaser()
	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.does(0, "deploy", "staging")

	w.says(1, "value=ROUTING_RULE_THEN_BASE_PATH_MAPPING", "promote", "--strategy", "dark")
	w.asksRules()
	w.says(4, "x-butai-dark: 4, at shop.sample.example", "promote", "--strategy", "dark")
	w.domainServes("", "gateway-1")
	w.domainServes("3", "gateway-1")
	w.domainServes("4", "gateway-2")
	w.does(0, "abort", "production")
	w.domainServes("4", "gateway-1")
	w.hasNoRules()

	w.configure(map[string]string{"functions:": "darkHeader: x-who\nfunctions:"})
	w.says(4, "x-who: 5, at", "promote", "--strategy", "dark")
	w.domainServes("5", "gateway-1")
	w.does(0, "resume")
	w.domainServes("", "gateway-2")
	w.hasNoRules()

	w.configure(map[string]string{"darkHeader: x-who\n": ""})
	w.editGateway("gateway-3")
	w.editCode("code-3", nil)
	w.does(0, "deploy", "staging")
	w.does(0, "promote", "--strategy", "all")
	w.says(4, "x-butai-dark: 8, at", "rollback", "production", "--strategy", "dark")
	w.domainServes("", "gateway-3")
	w.domainServes("8", "gateway-2")
	w.does(0, "resume")
	w.domainServes("", "gateway-2")
	w.hasNoRules()
}

// makeDomain gives production a custom domain, with a base path, that asks
// mappings alone. Commands reach it through the server as their proxy.
func (w *world) makeDomain(name, basePath string) {
	w.Helper()
	harness.Tool(w, "aws")
	w.domain, w.basePath = name, basePath
	certificate, key := selfSigned(w, name)
	cmd := exec.Command("aws", "acm", "import-certificate", "--certificate", "fileb://"+certificate, "--private-key", "fileb://"+key,
		"--query", "CertificateArn", "--output", "text")
	cmd.Env = w.env
	out, err := cmd.Output()
	w.must(err)
	ctx := context.Background()
	_, err = w.gateway.CreateDomainName(ctx, &apigateway.CreateDomainNameInput{
		DomainName: &name, RegionalCertificateArn: aws.String(strings.TrimSpace(string(out))),
		EndpointConfiguration: &apitypes.EndpointConfiguration{Types: []apitypes.EndpointType{apitypes.EndpointTypeRegional}},
	})
	w.must(err)
	_, err = w.gateway.CreateBasePathMapping(ctx, &apigateway.CreateBasePathMappingInput{
		DomainName: &name, RestApiId: &w.api, Stage: aws.String("production"), BasePath: &basePath,
	})
	w.must(err)
	w.env = append(w.env, "HTTP_PROXY="+w.url)
}

// selfSigned makes a certificate and its key, as files.
func selfSigned(t testing.TB, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(file, kind string, data []byte) string {
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("certificate.pem", "CERTIFICATE", public), write("key.pem", "PRIVATE KEY", secret)
}

// asksRules lets the domain have routing rules.
func (w *world) asksRules() {
	w.Helper()
	_, err := w.gateway.UpdateDomainName(context.Background(), &apigateway.UpdateDomainNameInput{
		DomainName: &w.domain, PatchOperations: []apitypes.PatchOperation{{
			Op: apitypes.OpReplace, Path: aws.String("/routingMode"), Value: aws.String("ROUTING_RULE_THEN_BASE_PATH_MAPPING"),
		}},
	})
	w.must(err)
}

// domainServes asks production's domain, with the header x-butai-dark unless
// it is "".
func (w *world) domainServes(header, gateway string) {
	w.Helper()
	req, err := http.NewRequest(http.MethodGet, w.url+"/"+w.basePath+"/pair", nil)
	w.must(err)
	req.Host = w.domain
	if header != "" {
		req.Header.Set("X-Butai-Dark", header)
	}
	res, err := http.DefaultClient.Do(req)
	w.must(err)
	defer res.Body.Close()
	var a answer
	w.must(json.NewDecoder(res.Body).Decode(&a))
	if a.Gateway != gateway || strings.TrimPrefix(a.Gateway, "gateway-") != strings.TrimPrefix(a.Code, "code-") || a.Stage != "production" {
		w.Errorf("%s with header %q answers %+v, want %s", w.domain, header, a, gateway)
	}
}

// hasNoRules expects that the domain has no routing rules left.
func (w *world) hasNoRules() {
	w.Helper()
	out, err := apigatewayv2.NewFromConfig(w.sdk()).ListRoutingRules(context.Background(), &apigatewayv2.ListRoutingRulesInput{DomainName: &w.domain})
	w.must(err)
	if len(out.RoutingRules) > 0 {
		w.Errorf("%s has %d routing rules left", w.domain, len(out.RoutingRules))
	}
}

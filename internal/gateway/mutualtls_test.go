package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
)

// authority is a certificate authority with its key.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate; a nil issuer makes one that signs itself.
func issue(t *testing.T, issuer *authority, name string, ends time.Time) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x0a1b), Subject: pkix.Name{CommonName: name}, NotBefore: ends.AddDate(-20, 0, 0), NotAfter: ends,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true, IsCA: issuer == nil,
	}
	signer := &authority{template, key}
	if issuer != nil {
		signer = issuer
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, &key.PublicKey, signer.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

// TestMutualTLS lets in whose certificate the domain trusts, and answers 403
// to all others.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	g := newFixture(t, nil)
	later := testTime.AddDate(1, 0, 0)
	ca, stranger := issue(t, nil, "Clients", later), issue(t, nil, "Strangers", later)
	g.PublishDomain(&DomainName{Name: "*.example.com", SecurityPolicy: "TLS_1_2",
		Truststore: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}))})
	for _, c := range []struct {
		name  string
		shown []*x509.Certificate
		want  bool
	}{
		{"a trusted one", []*x509.Certificate{issue(t, ca, "me", later).cert}, true},
		{"none", nil, false},
		{"a stranger's", []*x509.Certificate{issue(t, stranger, "me", later).cert}, false},
		{"one that has ended", []*x509.Certificate{issue(t, ca, "me", testTime.AddDate(-1, 0, 0)).cert}, false},
	} {
		r := httptest.NewRequest("GET", "https://api.example.com/", nil)
		r.TLS = &tls.ConnectionState{PeerCertificates: c.shown}
		if got := g.domainOf(r.Host).tls.admits(r, testTime); got != c.want {
			t.Errorf("%s: admitted %v, want %v", c.name, got, c.want)
		}
		if !c.want {
			res := httptest.NewRecorder()
			g.ServeDomain(res, r)
			if res.Code != 403 || res.Body.String() != `{"message":"Forbidden"}` {
				t.Errorf("%s: %d %s", c.name, res.Code, res.Body)
			}
		}
	}
	if d, ok := g.DomainTLS("api.example.com"); !ok || !d.Mutual || d.MinVersion() != tls.VersionTLS12 {
		t.Errorf("the listener is told %+v", d)
	}
	if _, ok := g.DomainTLS("a.api.example.com"); ok {
		t.Error("a wildcard stands for more than one label")
	}
}

// TestClientCertContext: templates and functions see who the client is.
func TestClientCertContext(t *testing.T) {
	t.Parallel()
	template := "$context.identity.clientCert.subjectDN|$context.identity.clientCert.issuerDN|" +
		"$context.identity.clientCert.serialNumber|$context.identity.clientCert.validity.notAfter$context.error.message"
	f := newFixture(t, returns("{}"), api{
		"GET /mock": respond(mockMethod(`{"statusCode": 200}`), "200", "", template), "GET /proxy": proxyMethod(),
	}.stage("s", strs{"stage": "prod"}))
	later := time.Date(2031, 8, 5, 9, 36, 4, 0, time.UTC)
	ca := issue(t, nil, "Clients", later)
	f.PublishDomain(&DomainName{Region: testRegion, Name: "api.example.com", Truststore: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})),
		Mappings: []apigatewayapi.BasePathMapping{{BasePath: ptr("(none)"), RestApiId: ptr(testAPI), Stage: ptr("s")}}})
	ask := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "https://api.example.com"+path, nil)
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{issue(t, ca, "me", later).cert}}
		res := httptest.NewRecorder()
		f.ServeDomain(res, r)
		return res
	}
	if got, want := ask("/mock").Body.String(), "CN=me|CN=Clients|0a:1b|Aug  5 09:36:04 2031 GMT"; got != want {
		t.Errorf("template: %s, want %s", got, want)
	}
	if got, want := bodyOf(t, f.do(request("GET", "/s/mock", ""))), "|||"; got != want {
		t.Errorf("template of a client without a certificate: %s, want %s", got, want)
	}
	ask("/proxy")
	payload := string(f.fn.last(t).Payload)
	for _, want := range []string{`"clientCert":{"clientCertPem":"-----BEGIN CERTIFICATE-----\n`, `"subjectDN":"CN=me"`, `"validity":{"notAfter":"Aug  5 09:36:04 2031 GMT"`} {
		if !strings.Contains(payload, want) {
			t.Errorf("the event lacks %s: %s", want, payload)
		}
	}
}

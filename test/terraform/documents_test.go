package terraform

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/test/harness"
)

// identity is a certificate with its key, both in PEM.
type identity struct{ certificate, key string }

// issue makes a certificate that signer signs, or itself if that is nil.
func issue(t *testing.T, signer *identity, name string) *identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: signer == nil,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signing := template, any(key)
	if signer != nil {
		pair, err := tls.X509KeyPair([]byte(signer.certificate), []byte(signer.key))
		if err != nil {
			t.Fatal(err)
		}
		parent, signing = pair.Leaf, pair.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signing)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, bytes []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
	}
	return &identity{encode("CERTIFICATE", der), encode("PRIVATE KEY", secret)}
}

// documents are the certificates that documents.tf is given.
type documents struct{ clients, domain *identity }

func newDocuments(t *testing.T) *documents {
	return &documents{clients: issue(t, nil, "Clients"), domain: issue(t, nil, "*.documents.example")}
}

func (d *documents) vars() map[string]string {
	return map[string]string{"truststore": d.clients.certificate, "domain_certificate": d.domain.certificate, "domain_key": d.domain.key}
}

// check asks the API through its custom domain, as clients with and without a
// certificate, and looks at the export.
func (d *documents) check(t *testing.T, s *harness.Server, tf *harness.Terraform, edition string) {
	t.Helper()
	if status, body := d.get(t, s, issue(t, d.clients, "ada")); status != 200 || body != `{"hello": "you", "edition": "`+edition+`", "client": "CN=ada"}` {
		t.Errorf("a client that is trusted: %d %s", status, body)
	}
	for what, client := range map[string]*identity{"no certificate": nil, "a stranger's certificate": issue(t, nil, "eve")} {
		if status, body := d.get(t, s, client); status != 403 || body != `{"message":"Forbidden"}` {
			t.Errorf("a client with %s: %d %s", what, status, body)
		}
	}
	var exported struct {
		Info  struct{ Title, Description, Version string }
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, Description string }
		}
	}
	if err := json.Unmarshal([]byte(tf.Output("export")), &exported); err != nil {
		t.Fatal(err)
	}
	hello := exported.Paths["/hello/{name}"]["get"].Parameters
	if exported.Info.Title != "written" || exported.Info.Version != edition || len(hello) != 1 || hello[0].Description != "Who is greeted." {
		t.Errorf("the export says %+v", exported)
	}
	if tf.Output("hello") == "" || !strings.HasPrefix(tf.Output("mutual"), "d-") {
		t.Errorf("the data sources found %q, %q", tf.Output("hello"), tf.Output("mutual"))
	}
}

// checkPrivateDomain asks the private API through its custom domain.
func checkPrivateDomain(t *testing.T, s *harness.Server, edition string) {
	t.Helper()
	get := func(path string) answer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "private.documents.example"
		return send(t, req)
	}
	if got := get("/v1/x"); got.status != 200 || got.body != "edition "+edition+" through vpce-0123abcd" {
		t.Errorf("the private domain answers %d %s", got.status, got.body)
	}
	if got := get("/v1/behind"); got.status != 200 || !strings.Contains(got.body, `"host":"balancer.example.com"`) {
		t.Errorf("the private domain's backend answers %d %s", got.status, got.body)
	}
}

// get asks mutual.documents.example at the HTTPS listener.
func (d *documents) get(t *testing.T, s *harness.Server, client *identity) (status int, body string) {
	t.Helper()
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM([]byte(d.domain.certificate))
	config := &tls.Config{RootCAs: trusted, ServerName: "mutual.documents.example"}
	if client != nil {
		pair, err := tls.X509KeyPair([]byte(client.certificate), []byte(client.key))
		if err != nil {
			t.Fatal(err)
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	address, err := url.Parse(s.SecureURL)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address.Host+"/hello/you", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "mutual.documents.example"
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.ProtoMajor != 2 {
		t.Errorf("the domain speaks %s", res.Proto)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(bytes.TrimSpace(text))
}

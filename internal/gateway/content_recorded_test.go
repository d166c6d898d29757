package gateway

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/wire"
)

// The recording sends three bodies to S3 and fetches them from there: bytes
// that are no text, those in base64, and text that is no base64.
var recordedBodies = [3]string{"\x1f\xffa", "H/9h", "this is no base64"}

// What became of each body; "500" is an error.
var (
	kept    = recordedBodies
	asText  = [3]string{"\x1f\ufffda", "H/9h", "this is no base64"}
	encoded = [3]string{b64(recordedBodies[0]), b64(recordedBodies[1]), b64(recordedBodies[2])}
	decoded = [3]string{"500", "\x1f\xffa", "500"}
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestRecordedRequestBodies has what S3 gets, by contentHandling of the
// integration, the API's binaryMediaTypes and the request's Content-Type.
func TestRecordedRequestBodies(t *testing.T) {
	t.Parallel()
	png := []string{"image/png"}
	for _, tt := range []struct {
		handling    string
		binary      []string
		contentType string
		template    bool // for application/json
		want        [3]string
	}{
		{"", nil, "image/png", false, asText},
		{"", png, "image/png", false, kept},
		{"", png, "text/plain", false, asText},
		{"CONVERT_TO_TEXT", nil, "image/png", false, asText},
		{"CONVERT_TO_TEXT", png, "image/png", false, encoded},
		{"CONVERT_TO_TEXT", png, "text/plain", false, asText},
		{"CONVERT_TO_BINARY", nil, "image/png", false, decoded},
		{"CONVERT_TO_BINARY", nil, "text/plain", false, decoded},
		{"CONVERT_TO_BINARY", png, "image/png", false, kept},
		{"CONVERT_TO_BINARY", png, "text/plain", false, decoded},
		{"CONVERT_TO_BINARY", nil, "image/png", true, decoded}, // no template is for it
		{"CONVERT_TO_BINARY", nil, "application/json", true, [3]string{"500", "500", "500"}},
	} {
		for i, body := range recordedBodies {
			m := respond(serviceMethod("ANY", "s3:path/bucket/key"), "200", "", "")
			if tt.handling != "" {
				m.MethodIntegration.ContentHandling = wire.Ptr(tt.handling)
			}
			if tt.template {
				m.MethodIntegration.RequestTemplates = strs{"application/json": `{"data": "$input.body"}`}
			}
			s := &services{}
			f := newFixture(t, nil)
			f.backends.services = s
			st := api{"ANY /": m}.stage("s", nil)
			st.Deployment.API.BinaryMediaTypes = tt.binary
			if err := f.PublishStage(st); err != nil {
				t.Fatal(err)
			}
			got := "500"
			if res := f.do(request("PUT", "/s", body, "Content-Type", tt.contentType)); res.StatusCode == 200 {
				got = string(s.last.Body)
			}
			if got != tt.want[i] {
				t.Errorf("%q %v %s template %v, %q: got %q, want %q", tt.handling, tt.binary, tt.contentType, tt.template, body, got, tt.want[i])
			}
		}
	}
}

// TestRecordedResponseBodies has what the client gets, by contentHandling of
// the integration response, the type of S3's answer and the client's Accept.
func TestRecordedResponseBodies(t *testing.T) {
	t.Parallel()
	const octets = "binary/octet-stream"
	png := []string{"image/png"}
	for _, tt := range []struct {
		handling            string
		binary              []string
		contentType, accept string
		want                [3]string
	}{
		{"", nil, octets, "image/png", asText},
		{"", png, octets, "image/png", decoded},
		{"", png, "image/png", "image/png", kept},
		{"", png, octets, "text/plain", asText},
		{"", png, "image/png", "text/plain", encoded},
		{"CONVERT_TO_TEXT", nil, octets, "image/png", asText},
		{"CONVERT_TO_TEXT", png, octets, "image/png", asText},
		{"CONVERT_TO_TEXT", png, "image/png", "image/png", encoded},
		{"CONVERT_TO_TEXT", png, octets, "text/plain", asText},
		{"CONVERT_TO_TEXT", png, "image/png", "text/plain", encoded},
		{"CONVERT_TO_BINARY", nil, octets, "image/png", decoded},
		{"CONVERT_TO_BINARY", nil, octets, "text/plain", decoded},
		{"CONVERT_TO_BINARY", png, octets, "image/png", decoded},
		{"CONVERT_TO_BINARY", png, "image/png", "image/png", kept},
		{"CONVERT_TO_BINARY", png, octets, "text/plain", decoded},
		{"CONVERT_TO_BINARY", png, "image/png", "text/plain", kept},
	} {
		for i, body := range recordedBodies {
			m := respond(serviceMethod("ANY", "s3:path/bucket/key"), "200", "", "", "method.response.header.ETag", "integration.response.header.ETag")
			if tt.handling != "" {
				r := m.MethodIntegration.IntegrationResponses["200"]
				r.ContentHandling = wire.Ptr(tt.handling)
				m.MethodIntegration.IntegrationResponses["200"] = r
			}
			f := newFixture(t, nil)
			f.backends.services = &services{f: func(*ServiceCall) (*ServiceResult, error) {
				return &ServiceResult{Status: 200, Header: http.Header{"Content-Type": {tt.contentType}, "ETag": {`"e"`}}, Body: []byte(body)}, nil
			}}
			st := api{"ANY /": m}.stage("s", nil)
			st.Deployment.API.BinaryMediaTypes = tt.binary
			if err := f.PublishStage(st); err != nil {
				t.Fatal(err)
			}
			got := "500"
			if res := f.do(request("GET", "/s", "", "Accept", tt.accept)); res.StatusCode == 200 {
				got = bodyOf(t, res)
				if etag := strings.Join(res.Header["ETag"], ""); etag != `"e"` {
					t.Errorf("ETag is %s", etag)
				}
			}
			if got != tt.want[i] {
				t.Errorf("%q %v %s for %s, %q: got %q, want %q", tt.handling, tt.binary, tt.contentType, tt.accept, body, got, tt.want[i])
			}
		}
	}
}

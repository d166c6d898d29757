package gateway

import (
	"strings"
	"testing"
)

func TestRequestLimits(t *testing.T) {
	t.Parallel()
	open, signed := respond(mockMethod(`{"statusCode": 200}`), "200", "", ""), respond(mockMethod(`{"statusCode": 200}`), "200", "", "")
	signed.AuthorizationType = ptr("AWS_IAM")
	f := newFixture(t, nil, api{"GET /open/{id}": open, "GET /signed/{id}": signed}.stage("s", nil))
	// "GET /s/open/1 HTTP/1.1", "Host: example.com" and "X-Long: " are the rest of the block.
	room := maxHeaderBlock - len("GET /s/open/1 HTTP/1.1\r\nHost: example.com\r\nX-Long: \r\n")
	for _, tt := range []struct{ name, path, header, want, kind string }{
		{"headers that just fit", "/s/open/1", strings.Repeat("x", room), "200 ", ""},
		{"one byte more", "/s/open/1", strings.Repeat("x", room+1), "413 Content-Type=text/plain HTTP header is larger than 10240 bytes.", "RequestTooLargeException"},
		{"a long request line", "/s/open/" + strings.Repeat("1", maxHeaderBlock), "", "413 Content-Type=text/plain HTTP header is larger than 10240 bytes.", "RequestTooLargeException"},
		{"a long path of a method that anyone may call", "/s/open/" + strings.Repeat("1", 1600), "", "200 ", ""},
		{"a long path of one that asks who calls", "/s/signed/" + strings.Repeat("1", 1600), "", `414 {"message":"Request URI too long"}`, "RequestURITooLongException"},
		{"a shorter one", "/s/signed/" + strings.Repeat("1", 1500), "", `403 {"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException"},
	} {
		r := request("GET", tt.path, "")
		if tt.header != "" {
			r.Header.Set("X-Long", tt.header)
		}
		res := f.do(r)
		if got := summary(t, res); got != tt.want || tt.kind != "" && res.Header["x-amzn-ErrorType"][0] != tt.kind {
			t.Errorf("%s: got %s %v, want %s %s", tt.name, got, res.Header["x-amzn-ErrorType"], tt.want, tt.kind)
		}
	}
}

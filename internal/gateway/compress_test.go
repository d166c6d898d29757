package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/wire"
)

func TestCompression(t *testing.T) {
	t.Parallel()
	body := `"` + strings.Repeat("a", 98) + `"`
	for _, tt := range []struct {
		size     *int64
		accept   string
		header   string // Content-Encoding that the integration sets
		encoding string
	}{
		{nil, "gzip", "", ""},
		{wire.Ptr(int64(100)), "gzip, deflate", "", "gzip"},
		{wire.Ptr(int64(100)), "gzip;q=0, deflate;q=0.5", "", "deflate"},
		{wire.Ptr(int64(101)), "gzip", "", ""},
		{wire.Ptr(int64(0)), "", "", ""},
		{wire.Ptr(int64(0)), "*", "", ""},
		{wire.Ptr(int64(0)), "br, gzip", "", "gzip"},
		{wire.Ptr(int64(0)), "br;q=1, gzip;q=0.5", "", ""},
		{wire.Ptr(int64(0)), "gzip;q=0.5, deflate;q=0.8", "", "deflate"},
		{wire.Ptr(int64(0)), "gzip;q=0", "", ""},
		{wire.Ptr(int64(0)), "gzip", "br", "br"},
	} {
		m := respond(lambdaMethod(nil), "200", "", "")
		if tt.header != "" {
			respond(m, "200", "", "", "method.response.header.Content-Encoding", "'"+tt.header+"'")
		}
		s := api{"GET /": m}.stage("s", strs{"stage": "x"})
		s.Deployment.API.MinimumCompressionSize = tt.size
		f := newFixture(t, returns(body), s)
		res := f.do(request("GET", "/s", "", "Accept-Encoding", tt.accept))
		if got := res.Header.Get("Content-Encoding"); got != tt.encoding {
			t.Errorf("%v %q: encoding %q, want %q", tt.size, tt.accept, got, tt.encoding)
		}
		got := bodyOf(t, res)
		var plain []byte
		switch tt.encoding {
		case "gzip":
			r, err := gzip.NewReader(strings.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			plain, _ = io.ReadAll(r)
		case "deflate":
			r, err := zlib.NewReader(strings.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			plain, _ = io.ReadAll(r)
		default:
			plain = []byte(got)
		}
		if string(plain) != body {
			t.Errorf("%v %q: body %q", tt.size, tt.accept, plain)
		}
	}
}

func TestDecompression(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	io.WriteString(w, `"plain"`)
	w.Close()
	for _, tt := range []struct {
		body, encoding string
		event          string
		status         int
	}{
		{packed.String(), "gzip", `"plain"`, 200},
		{`"plain"`, "identity", `"plain"`, 200},
		{`"plain"`, "gzip", "", 415},
		{`"plain"`, "br", "", 415},
	} {
		fn := returns("{}")
		s := api{"POST /": respond(lambdaMethod(nil), "200", "", "")}.stage("s", strs{"stage": "x"})
		f := newFixture(t, fn, s)
		res := f.do(request("POST", "/s", tt.body, "Content-Encoding", tt.encoding))
		if res.StatusCode != tt.status {
			t.Errorf("%s: %d", tt.encoding, res.StatusCode)
		}
		if tt.event != "" && string(fn.last(t).Payload) != tt.event {
			t.Errorf("%s: event %q", tt.encoding, fn.last(t).Payload)
		}
	}
}

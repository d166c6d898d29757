package sigv4

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// The examples of the S3 API Reference, "Transferring Payload in Multiple
// Chunks" and "… including trailing headers": 65 KiB of "a" in two chunks.
const (
	exampleKey    = "AKIAIOSFODNN7EXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

var exampleTime = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)

func exampleVerifier() *Verifier {
	return New(func(key, _ string) (string, KeyStatus) {
		if key == exampleKey {
			return exampleSecret, KeyValid
		}
		return "", KeyUnknown
	})
}

type example struct {
	payload, headers, seed string
	chunks                 [3]string
	trailer                string
}

var (
	signedExample = example{
		payload: streamingSigned,
		headers: "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
		seed:    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
		chunks: [3]string{
			"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
			"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
			"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
		},
	}
	trailerExample = example{
		payload: streamingSignedTrailer,
		headers: "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
		seed:    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
		chunks: [3]string{
			"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
			"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
			"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
		},
		trailer: "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
	}
)

func (e example) body() string {
	return "10000;chunk-signature=" + e.chunks[0] + "\r\n" + strings.Repeat("a", 65536) + "\r\n" +
		"400;chunk-signature=" + e.chunks[1] + "\r\n" + strings.Repeat("a", 1024) + "\r\n" +
		"0;chunk-signature=" + e.chunks[2] + "\r\n" + e.trailer + "\r\n"
}

func (e example) read(t *testing.T, body string) ([]byte, *ChunkedBody, error) {
	t.Helper()
	r := httptest.NewRequest("PUT", "http://s3.amazonaws.com/examplebucket/chunkObject.txt", iotest.HalfReader(strings.NewReader(body)))
	r.ContentLength = 66824
	r.Header.Set("X-Amz-Date", "20130524T000000Z")
	r.Header.Set("X-Amz-Storage-Class", "REDUCED_REDUNDANCY")
	r.Header.Set("X-Amz-Content-Sha256", e.payload)
	r.Header.Set("Content-Encoding", "aws-chunked")
	r.Header.Set("X-Amz-Decoded-Content-Length", "66560")
	r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32c")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+exampleKey+"/20130524/us-east-1/s3/aws4_request,SignedHeaders="+
		e.headers+",Signature="+e.seed)
	id, in, err := exampleVerifier().VerifyStream(r, parsed(t, r), exampleTime)
	if err != nil || !id.Signed {
		t.Fatalf("%+v, %v", id, err)
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	return data, in.(*ChunkedBody), err
}

func TestPublishedChunks(t *testing.T) {
	t.Parallel()
	for _, e := range []example{signedExample, trailerExample} {
		data, in, err := e.read(t, e.body())
		if err != nil || string(data) != strings.Repeat("a", 66560) {
			t.Errorf("%s: %d bytes, %v", e.payload, len(data), err)
		}
		if e.trailer != "" && in.Trailer().Get("x-amz-checksum-crc32c") != "sOO8/Q==" {
			t.Errorf("trailers %v", in.Trailer())
		}
	}
}

func TestDamagedChunks(t *testing.T) {
	t.Parallel()
	e := trailerExample
	body := e.body()
	for name, c := range map[string]struct {
		body string
		kind Kind
	}{
		"data changed":      {strings.Replace(body, "aaaa", "aaba", 1), KindMismatch},
		"signature changed": {strings.Replace(body, e.chunks[1], e.chunks[0], 1), KindMismatch},
		"last signature":    {strings.Replace(body, e.chunks[2], e.chunks[0], 1), KindMismatch},
		"trailer changed":   {strings.Replace(body, "sOO8", "sOO9", 1), KindMismatch},
		"trailer left out":  {body[:strings.Index(body, "x-amz-checksum")] + "\r\n", KindMismatch},
		"chunk left out":    {body[strings.Index(body, "400;"):], KindMismatch},
		"cut in a chunk":    {body[:1000], KindMalformedBody},
		"cut behind one":    {body[:strings.Index(body, "0;chunk-signature="+e.chunks[2])], KindMalformedBody},
		"no signature":      {strings.Replace(body, ";chunk-signature="+e.chunks[0], "", 1), KindMalformedBody},
		"no size":           {"x" + body, KindMalformedBody},
		"negative size":     {"-" + body, KindMalformedBody},
		"too small a size":  {strings.Replace(body, "10000;", "ff00;", 1), KindMalformedBody},
		"a long line":       {"1;" + strings.Repeat("x", 5000), KindMalformedBody},
		"empty":             {"", KindMalformedBody},
	} {
		if _, _, err := e.read(t, c.body); kind(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// signedStream is an upload whose headers are signed for the payload word.
func signedStream(t *testing.T, payload string) *http.Request {
	t.Helper()
	r, err := http.NewRequest("PUT", "http://localhost/b/k", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Content-Sha256", payload)
	err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(t.Context(),
		aws.Credentials{AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey}, r, payload, "s3", "us-east-1", now)
	if err != nil {
		t.Fatal(err)
	}
	return received(t, r, "")
}

func stream(t *testing.T, payload, length, body string) ([]byte, error) {
	t.Helper()
	r := signedStream(t, payload)
	r.Header.Set("X-Amz-Decoded-Content-Length", length)
	r.Body = io.NopCloser(strings.NewReader(body))
	_, in, err := verifier().VerifyStream(r, parsed(t, r), now)
	if err != nil {
		t.Fatal(err)
	}
	return io.ReadAll(in)
}

func TestUnsignedTrailer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		length, body, want string
		fails              bool
	}{
		{"5", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "hello", false},
		{"6", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!", false},
		{"0", "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "", false},
		{"4", "5\r\nhello\r\n0\r\n\r\n", "", true},
		{"5", "5\r\nhello\r\n0\r\nnonsense\r\n\r\n", "", true},
	} {
		data, err := stream(t, streamingUnsignedTrailer, c.length, c.body)
		if c.fails != (err != nil) || !c.fails && string(data) != c.want {
			t.Errorf("%q: %q, %v", c.body, data, err)
		}
	}
}

func TestHashedStream(t *testing.T) {
	t.Parallel()
	if data, err := stream(t, hexHash("hello"), "", "hello"); err != nil || string(data) != "hello" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := stream(t, hexHash("hello"), "", "hellO"); kind(err) != KindPayloadMismatch {
		t.Error(err)
	}
	if data, err := stream(t, unsignedPayload, "", "anything"); err != nil || string(data) != "anything" {
		t.Errorf("%q, %v", data, err)
	}
}

func FuzzChunked(f *testing.F) {
	f.Add("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n")
	f.Add("0\r\n\r\n")
	f.Fuzz(func(t *testing.T, body string) {
		data, err := stream(t, streamingUnsignedTrailer, "", body)
		if err == nil && len(data) >= len(body) {
			t.Errorf("%d bytes out of %d", len(data), len(body))
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=K/20260301/r/s/aws4_request, SignedHeaders=host, Signature=0", "a=b", "20260301T120000Z")
	f.Add("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260301T120000Z&X-Amz-Credential=AKIAEXAMPLE/20260301/r/s/aws4_request&X-Amz-Signature=b&X-Amz-SignedHeaders=host", "")
	f.Fuzz(func(t *testing.T, auth, query, date string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		r.Header.Set("Authorization", auth)
		r.Header.Set("X-Amz-Date", date)
		if id, err := verifier().Verify(r, nil, now); err == nil || id.Signed {
			t.Error(fmt.Sprint("a made-up signature was accepted: ", auth, query, date))
		} else if kind(err) < 0 {
			t.Errorf("%#v", err)
		}
	})
}

// A body from an unknown key is decoded just the same.
func TestUnverifiedBody(t *testing.T) {
	t.Parallel()
	for _, e := range []example{signedExample, trailerExample} {
		r := httptest.NewRequest("PUT", "/b/k", strings.NewReader(strings.Replace(e.body(), "aaaa", "aaba", 1)))
		r.Header.Set("X-Amz-Content-Sha256", e.payload)
		data, err := io.ReadAll(UnverifiedBody(r))
		if err != nil || len(data) != 66560 || data[2] != 'b' {
			t.Errorf("%s: %d bytes, %v", e.payload, len(data), err)
		}
	}
}

func parsed(t *testing.T, r *http.Request) *Signature {
	t.Helper()
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

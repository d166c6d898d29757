package functionurl

import (
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/tlsname"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// event is a request as functions see it: payload format 2.0 of API Gateway
// (Developer Guide: "Invoking Lambda function URLs", request payload format).
// Members that a request doesn't have are left out.
type event struct {
	Version  string            `json:"version"`
	RouteKey string            `json:"routeKey"`
	RawPath  string            `json:"rawPath"`
	RawQuery string            `json:"rawQueryString"`
	Cookies  []string          `json:"cookies,omitzero"`
	Headers  map[string]string `json:"headers"`
	Query    map[string]string `json:"queryStringParameters,omitzero"`
	Context  requestContext    `json:"requestContext"`
	Body     string            `json:"body,omitzero"`
	Base64   bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	Authorizer   *authorizer `json:"authorizer,omitzero"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	Epoch        int64       `json:"timeEpoch"`
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

type authorizer struct {
	IAM iamContext `json:"iam"`
}

type iamContext struct {
	AccessKey string          `json:"accessKey"`
	AccountID string          `json:"accountId"`
	CallerID  string          `json:"callerId"`
	Cognito   *jsontext.Value `json:"cognitoIdentity"`
	Org       *string         `json:"principalOrgId"`
	UserARN   string          `json:"userArn"`
	UserID    string          `json:"userId"`
}

const (
	defaultRoute = "$default"
	anonymous    = "anonymous"
	timeLayout   = "02/Jan/2006:15:04:05 -0700"
)

// event writes the event of the request.
func (x *exchange) event(trace string) []byte {
	now := x.Clock.Now().UTC()
	ip, _, err := net.SplitHostPort(x.r.RemoteAddr)
	if err != nil {
		ip = x.r.RemoteAddr
	}
	e := event{
		Version: "2.0", RouteKey: defaultRoute, RawPath: x.path, RawQuery: x.r.URL.RawQuery, Cookies: cookies(x.r),
		Headers: x.headers(ip, trace), Query: query(x.r.URL.RawQuery),
		Context: requestContext{
			AccountID: anonymous, APIID: x.url.ID, DomainName: x.domain(), DomainPrefix: x.url.ID,
			HTTP:      httpContext{x.r.Method, x.path, x.r.Proto, ip, x.r.UserAgent()},
			RequestID: x.requestID, RouteKey: defaultRoute, Stage: defaultRoute, Time: now.Format(timeLayout), Epoch: now.UnixMilli(),
		},
	}
	if c := x.caller; c != nil {
		e.Context.AccountID = c.Account
		e.Context.Authorizer = &authorizer{iamContext{
			AccessKey: c.AccessKeyID, AccountID: c.Account, CallerID: c.UserID, UserARN: c.ARN, UserID: c.UserID,
		}}
	}
	if len(x.body) > 0 {
		if e.Base64 = !isText(x.r.Header.Get("Content-Type")); e.Base64 {
			e.Body = base64.StdEncoding.EncodeToString(x.body)
		} else {
			e.Body = string(x.body)
		}
	}
	out, err := json.Marshal(&e, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return []byte("{}") // all its parts are text: it can't fail
	}
	return out
}

// domain is the URL's host as the client wrote it, or AWS's form of it if it
// came by path.
func (x *exchange) domain() string {
	host := x.r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if !strings.HasPrefix(strings.ToLower(host), x.url.ID+".") {
		return x.url.ID + ".lambda-url." + x.url.Region + ".on.aws"
	}
	return host
}

// headers are the request's by lower-case name, several values joined by
// commas, with those that AWS's front end adds.
func (x *exchange) headers(ip, trace string) map[string]string {
	out := map[string]string{}
	for name, values := range x.r.Header {
		if name = strings.ToLower(name); name != "cookie" {
			out[name] = strings.Join(values, ",")
		}
	}
	out["host"] = x.r.Host
	scheme, port := "http", "80"
	if c := x.r.TLS; c != nil {
		scheme, port = "https", "443"
		out["x-amzn-tls-version"] = tlsname.Version(c.Version)
		out["x-amzn-tls-cipher-suite"] = tlsname.Suite(c.CipherSuite)
	}
	if _, p, err := net.SplitHostPort(x.r.Host); err == nil {
		port = p
	}
	out["x-forwarded-for"], out["x-forwarded-proto"], out["x-forwarded-port"] = ip, scheme, port
	out["x-amzn-trace-id"], _, _ = strings.Cut(trace, ";")
	return out
}

func cookies(r *http.Request) (out []string) {
	for _, line := range r.Header.Values("Cookie") {
		for part := range strings.SplitSeq(line, ";") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// query are the parameters, several values joined by commas; what can't be
// decoded is passed as it is.
func query(raw string) map[string]string {
	if raw == "" {
		return nil
	}
	out := map[string]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		if have, ok := out[name]; ok {
			value = have + "," + value
		}
		out[name] = value
	}
	return out
}

func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// textTypes are the media types whose bodies go into events as they are;
// others are base64.
var textTypes = []string{"application/json", "application/javascript", "application/xml"}

func isText(contentType string) bool {
	if contentType == "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return strings.HasPrefix(kind, "text/") || slices.Contains(textTypes, kind) || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

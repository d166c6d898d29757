package gateway

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// proxyEvent is the event of a Lambda proxy integration (developer guide,
// "Input format of a Lambda function for proxy integration"; member order and
// where null stands for "none" are recorded).
func (x *exchange) proxyEvent() []byte {
	b := make([]byte, 0, 2048+len(x.body)*4/3)
	headers, query := x.headers(), x.query()
	b = appendMember(b, '{', "resource", x.m.resourcePath)
	b = appendMember(b, ',', "path", x.target.proxyPath())
	b = appendMember(b, ',', "httpMethod", x.verb)
	b = append(b, `,"headers":`...)
	b = headers.appendSingle(b)
	b = append(b, `,"multiValueHeaders":`...)
	b = headers.appendMulti(b)
	b = append(b, `,"queryStringParameters":`...)
	b = query.appendSingle(b)
	b = append(b, `,"multiValueQueryStringParameters":`...)
	b = query.appendMulti(b)
	b = append(b, `,"pathParameters":`...)
	b = x.appendPathParams(b)
	b = append(b, `,"stageVariables":`...)
	b = appendStrings(b, x.st.variables)
	b = append(b, `,"requestContext":`...)
	b = x.appendRequestContext(b)
	b = append(b, `,"body":`...)
	encoded := false
	switch {
	case len(x.body) == 0:
		b = append(b, "null"...)
	case x.st.binary.match(one(x.r.Header, "Content-Type")):
		encoded = true
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, x.body)
		b = append(b, '"')
	default:
		b = appendText(b, x.body)
	}
	b = append(b, `,"isBase64Encoded":`...)
	b = strconv.AppendBool(b, encoded)
	return append(b, '}')
}

func (x *exchange) appendRequestContext(b []byte) []byte {
	b = appendMember(b, '{', "resourceId", x.m.resourceID)
	b = x.appendAuthorizer(b)
	b = appendMember(b, ',', "resourcePath", x.m.resourcePath)
	if x.m.operation != "" {
		b = appendMember(b, ',', "operationName", x.m.operation)
	}
	for _, key := range [...]string{"httpMethod", "extendedRequestId", "requestTime", "path", "accountId", "protocol", "stage", "domainPrefix"} {
		b = appendMember(b, ',', key, x.contextText(key))
	}
	b = append(b, `,"requestTimeEpoch":`...)
	b = strconv.AppendInt(b, x.started.UnixMilli(), 10)
	b = appendMember(b, ',', "requestId", x.requestID)
	b = append(b, `,"identity":`...)
	b = appendSource(b, identitySource{x})
	for _, key := range [...]string{"domainName", "deploymentId", "apiId"} {
		if key != "deploymentId" || !x.test { // nothing is deployed
			b = appendMember(b, ',', key, x.contextText(key))
		}
	}
	return append(b, '}')
}

func (x *exchange) appendPathParams(b []byte) []byte {
	if len(x.params) == 0 {
		return append(b, "null"...)
	}
	for i, p := range x.params {
		b = appendMember(b, opener(i), p.Name, p.Value)
	}
	return append(b, '}')
}

// appendStrings appends a map as an object, null if it is empty.
func appendStrings(b []byte, m map[string]string) []byte {
	if len(m) == 0 {
		return append(b, "null"...)
	}
	for i, key := range slices.Sorted(maps.Keys(m)) {
		b = appendMember(b, opener(i), key, m[key])
	}
	return append(b, '}')
}

// appendSingle appends each field with its last value.
func (f fields) appendSingle(b []byte) []byte {
	if len(f) == 0 {
		return append(b, "null"...)
	}
	for i := range f {
		b = appendMember(b, opener(i), f[i].name, f[i].values[len(f[i].values)-1])
	}
	return append(b, '}')
}

// appendMulti appends each field with all of its values.
func (f fields) appendMulti(b []byte) []byte {
	if len(f) == 0 {
		return append(b, "null"...)
	}
	for i := range f {
		b = append(appendText(append(b, opener(i)), f[i].name), ':', '[')
		for j, v := range f[i].values {
			if j > 0 {
				b = append(b, ',')
			}
			b = appendText(b, v)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// opener is what goes before the i-th member of an object.
func opener(i int) byte {
	if i == 0 {
		return '{'
	}
	return ','
}

func appendMember(b []byte, before byte, key, value string) []byte {
	return appendText(append(appendText(append(b, before), key), ':'), value)
}

// appendText appends a JSON string; bytes that are not UTF-8 become U+FFFD.
func appendText[T string | []byte](b []byte, s T) []byte {
	b, _ = jsontext.AppendQuote(b, s) // its error only reports the replacement
	return b
}

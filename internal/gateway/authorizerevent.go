package gateway

// authorizerEvent is what an authorizer's function is called with (developer
// guide, "Input to an API Gateway Lambda authorizer"; member order measured).
func (x *exchange) authorizerEvent(a *authorizer, identity []string) []byte {
	b := make([]byte, 0, 2048)
	b = appendMember(b, '{', "type", a.kind)
	b = appendMember(b, ',', "methodArn", x.methodARN())
	if a.kind == authorizerToken {
		return append(appendMember(b, ',', "authorizationToken", identity[0]), '}')
	}
	b = appendMember(b, ',', "resource", x.m.resourcePath)
	b = appendMember(b, ',', "path", x.target.proxyPath())
	b = appendMember(b, ',', "httpMethod", x.verb)
	headers, query := x.headers(), x.query()
	for _, part := range [...]struct {
		name   string
		empty  bool
		append func([]byte) []byte
	}{
		{"headers", len(headers) == 0, headers.appendSingle},
		{"multiValueHeaders", len(headers) == 0, headers.appendMulti},
		{"queryStringParameters", len(query) == 0, query.appendSingle},
		{"multiValueQueryStringParameters", len(query) == 0, query.appendMulti},
		{"pathParameters", len(x.params) == 0, x.appendPathParams},
		{"stageVariables", len(x.st.variables) == 0, func(b []byte) []byte { return appendStrings(b, x.st.variables) }},
		{"requestContext", false, x.appendRequestContext},
	} {
		b = append(appendText(append(b, ','), part.name), ':')
		if part.empty { // not null, as in a proxy's event
			b = append(b, "{}"...)
			continue
		}
		b = part.append(b)
	}
	return append(b, '}')
}

// appendAuthorizer appends what the authorizer found out, as proxy events have
// it: behind resourceId (measured). Methods without one have no such member.
func (x *exchange) appendAuthorizer(b []byte) []byte {
	v := x.caller.verdict
	if v == nil {
		return b
	}
	b = append(b, `,"authorizer":`...)
	if v.claims != nil {
		b = append(b, `{"claims":`...)
		return append(appendEntries(b, v.claims), "}}"...)
	}
	b = appendEntries(b, v.context)
	b = appendMember(b, opener(len(v.context)), "principalId", v.principalID)
	b = append(b, `,"integrationLatency":`...)
	b = append(b, milliseconds(x.caller.call.latency)...)
	return append(b, '}')
}

// appendEntries appends the members of an object that is still open.
func appendEntries(b []byte, entries []contextEntry) []byte {
	for i, e := range entries {
		b = append(appendText(append(b, opener(i)), e.name), ':')
		if e.null {
			b = append(b, "null"...)
		} else {
			b = appendText(b, e.text)
		}
	}
	return b
}

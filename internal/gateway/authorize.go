package gateway

// authorization is what the authorize stop found out about the caller.
type authorization struct {
	// usageKey is the usageIdentifierKey of a Lambda authorizer's answer, the
	// API key of APIs whose apiKeySource is AUTHORIZER; "" if there is none.
	usageKey string
}

// authorize stops callers whom the method's authorizer or the API's resource
// policy does not let in. It comes after the payload has been read, of which
// signatures hold a hash, and before API keys and throttling, which may go by
// what an authorizer says.
func (x *exchange) authorize() *failure {
	x.at("authorize")
	return nil
}

package wire

import "context"

// CrossOrigin is a request of a web page, or what its browser asks before it
// sends one.
type CrossOrigin struct {
	Path    string   // of the resource, decoded
	Origin  string   // of the page
	Method  string   // of the request; "" if the browser doesn't tell
	Headers []string // in lower case, that the request will have and pages need leave for
}

// OriginGrant is what a web page may do with a resource.
type OriginGrant struct {
	AnyOrigin bool     // not only the one that asked, and without credentials
	Methods   []string // of requests
	Headers   []string // of requests, of those that were asked for
	Expose    []string // headers of answers that the page may read
	MaxAge    *int64   // seconds for which a browser needn't ask again; nil: it isn't told
}

// CrossOriginPolicy is implemented by a service whose resources let web pages of
// some origins use them.
type CrossOriginPolicy interface {
	// AllowOrigin returns what the page may do, or the error that a browser gets
	// who asks before.
	AllowOrigin(ctx context.Context, q *CrossOrigin) (*OriginGrant, error)
}

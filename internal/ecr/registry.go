package ecr

import (
	"context"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strings"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// ECR's registry speaks the OCI distribution specification, 1.1, as docker and
// its like do. A repository's path is /v2/{account}/{region}/{name} on any host
// of butai's, or /v2/{name} on a host that AWS would give the registry.

const (
	registryRoot  = "/v2/"
	versionHeader = "Docker-Distribution-Api-Version"
	digestHeader  = "Docker-Content-Digest"
)

var (
	registryHost = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.`)
	registryPath = regexp.MustCompile(`^/v2/([0-9]{12})/([a-z0-9-]+)/(.+)$`)
	// The parts of a path after the repository.
	blobPath     = regexp.MustCompile(`^(.+)/blobs/([^/]+)$`)
	beginPath    = regexp.MustCompile(`^(.+)/blobs/uploads/?$`)
	uploadPath   = regexp.MustCompile(`^(.+)/blobs/uploads/([^/]+)$`)
	manifestPath = regexp.MustCompile(`^(.+)/manifests/([^/]+)$`)
	referrerPath = regexp.MustCompile(`^(.+)/referrers/([^/]+)$`)
	tagsPath     = regexp.MustCompile(`^(.+)/tags/list$`)
)

// IsRegistry tells whether a request is one of the registry's: the AWS APIs
// have paths below /v2/ too, but theirs are signed.
func IsRegistry(r *http.Request) bool {
	if r.URL.Path != "/v2" && !strings.HasPrefix(r.URL.Path, registryRoot) || strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") {
		return false
	}
	return len(r.URL.Path) <= len(registryRoot) || registryHost.MatchString(r.Host) || registryPath.MatchString(r.URL.Path)
}

// refusal is an error of the registry, as the distribution specification has
// them.
type refusal struct {
	status        int
	code, message string
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

func refuse(status int, code, message string) error { return &refusal{status, code, message} }

// visit is one request to the registry.
type visit struct {
	*Service
	http.ResponseWriter
	*http.Request
	caller *wire.Caller
	place  place
	prefix string // of paths to the repository
}

// ServeHTTP is the registry.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(versionHeader, "registry/2.0")
	v := &visit{Service: s, ResponseWriter: w, Request: r}
	if err := v.serve(); err != nil {
		v.fail(err)
	}
}

func (v *visit) fail(err error) {
	if v.Request.Context().Err() != nil {
		return // the client has gone
	}
	var refused *refusal
	if !errors.As(err, &refused) {
		code, status, _, message := wire.ErrorFacts(err)
		refused = &refusal{status, registryCodes[code], message}
		if refused.code == "" {
			v.Log.Error("the registry has failed", "path", v.URL.Path, "reason", err)
			refused = &refusal{http.StatusInternalServerError, "UNKNOWN", "Internal error"}
		}
		if code == "RepositoryNotFoundException" || code == "ImageNotFoundException" {
			refused.status = http.StatusNotFound
		}
	}
	writeJSON(v.ResponseWriter, refused.status, errorBody{[]errorEntry{{refused.code, refused.message}}})
}

// registryCodes are what errors of the API are called by the registry.
var registryCodes = map[string]string{
	"RepositoryNotFoundException":       "NAME_UNKNOWN",
	"ImageNotFoundException":            "MANIFEST_UNKNOWN",
	"LayersNotFoundException":           "MANIFEST_BLOB_UNKNOWN",
	"ReferencedImagesNotFoundException": "MANIFEST_BLOB_UNKNOWN",
	"ImageTagAlreadyExistsException":    "TAG_INVALID",
}

// serve finds out what is asked for.
func (v *visit) serve() error {
	rest := v.locate()
	if m := blobPath.FindStringSubmatch(rest); m != nil && v.hasPass(v.Request) {
		v.place.name = m[1]
		return v.sendBlob(m[2])
	}
	user, password, ok := v.BasicAuth()
	if ok {
		v.caller = v.bearerOf(user, password)
	}
	if v.caller == nil {
		v.Header().Set("Www-Authenticate", `Basic realm="http://`+v.Service.Host+`/",service="ecr.amazonaws.com"`)
		message := "no basic auth credentials"
		if ok {
			message = "Your authorization token is invalid or has expired. Reauthenticate and try again."
		}
		return refuse(http.StatusUnauthorized, "UNAUTHORIZED", message)
	}
	v.caller.SourceIP, _, _ = net.SplitHostPort(v.RemoteAddr) // a server's requests have both
	v.caller.UserAgent = v.UserAgent()
	if len(v.Request.URL.Path) <= len(registryRoot) {
		v.WriteHeader(http.StatusOK)
		return nil
	}
	return v.route(rest)
}

// locate finds out which account and region a request is for, and returns the
// rest of its path.
func (v *visit) locate() string {
	path := v.Request.URL.Path
	rest := strings.TrimPrefix(path, registryRoot)
	v.prefix = registryRoot
	if m := registryPath.FindStringSubmatch(path); m != nil {
		v.place.account, v.place.region, rest = m[1], m[2], m[3]
		v.prefix += m[1] + "/" + m[2] + "/"
	} else if m := registryHost.FindStringSubmatch(v.Request.Host); m != nil {
		v.place.account, v.place.region = m[1], m[2]
	}
	return rest
}

// route calls what a path and a method stand for.
func (v *visit) route(path string) error {
	for _, road := range []struct {
		path    *regexp.Regexp
		methods map[string]func(argument string) error
	}{
		{beginPath, map[string]func(string) error{http.MethodPost: v.beginUpload}},
		{uploadPath, map[string]func(string) error{
			http.MethodPatch: v.addToUpload, http.MethodPut: v.endUpload, http.MethodGet: v.askUpload, http.MethodDelete: v.dropUpload,
		}},
		{blobPath, map[string]func(string) error{http.MethodGet: v.getBlob, http.MethodHead: v.getBlob}},
		{manifestPath, map[string]func(string) error{http.MethodGet: v.getManifest, http.MethodHead: v.getManifest, http.MethodPut: v.putManifest}},
		{referrerPath, map[string]func(string) error{http.MethodGet: v.listReferrers}},
		{tagsPath, map[string]func(string) error{http.MethodGet: v.listTags}},
	} {
		m := road.path.FindStringSubmatch(path)
		if m == nil {
			continue
		}
		v.place.name = m[1]
		action := road.methods[v.Method]
		if action == nil {
			return refuse(http.StatusMethodNotAllowed, "UNSUPPORTED", "The operation is unsupported.")
		}
		argument := ""
		if len(m) > 2 {
			argument = m[2]
		}
		return action(argument)
	}
	return refuse(http.StatusNotFound, "NAME_UNKNOWN", "There is nothing at this path of the registry.")
}

// enter reads the repository and makes sure that the caller may do something
// with it.
func (v *visit) enter(action string) (rec *repositoryRecord, err error) {
	ctx := wire.WithCaller(v.Request.Context(), v.caller)
	target := wire.IAMTarget{Action: "ecr:" + action, Resource: v.place.arn()}
	err = v.Store.View(ctx, func(r store.ReadTx) error {
		if rec, err = open(ctx, r, v.place); err == nil {
			target.Policy, err = resourcePolicy(r, rec)
		}
		return err
	})
	if err != nil {
		if code, _, _, message := wire.ErrorFacts(err); code == "AccessDeniedException" {
			return nil, refuse(http.StatusForbidden, "DENIED", message)
		}
		return nil, err
	}
	if denial := v.Authorizer.Authorize(ctx, v.caller, target); denial != "" {
		return nil, refuse(http.StatusForbidden, "DENIED", denial)
	}
	return rec, nil
}

type errorEntry struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type errorBody struct {
	Errors []errorEntry `json:"errors"`
}

// Header is that of the answer; the request's is Request.Header.
func (v *visit) Header() http.Header { return v.ResponseWriter.Header() }

var _ http.Handler = (*Service)(nil)

// layer reads a layer of the repository.
func (v *visit) layer(ctx context.Context, digest string) (l *layerRecord, err error) {
	if !isDigest(digest) {
		return nil, refuse(http.StatusBadRequest, "DIGEST_INVALID", "Invalid digest: "+digest)
	}
	err = v.Store.View(ctx, func(r store.ReadTx) error {
		l, err = layers.Get(r, v.place.key(digest)...)
		return err
	})
	return l, err
}

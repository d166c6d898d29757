package lambda

import (
	"cmp"
	"context"
	"net"
	"net/url"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/functionurl"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// urlRecord is a function URL: what the API shows of it but the URL itself,
// which depends on how the client reaches butai.
type urlRecord struct {
	ID     string
	Config lambdaapi.FunctionUrlConfig
}

// urls are found by account, region, function name and alias, "" for none.
var urls = record.New[urlRecord]("lambda", "url")

// URLs is the data plane of function URLs. *functionurl.Server implements it.
type URLs interface {
	Put(u *functionurl.URL)
	Remove(id string)
}

const (
	urlIDLength = 32
	urlTime     = "2006-01-02T15:04:05.000000Z"
)

// urlRef reads the name and qualifier of a function URL call. The qualifier is
// an alias; the model has refused others.
func urlRef(ctx context.Context, name, qualifier *string) (ref, error) {
	return resolve(ctx, name, qualifier)
}

var (
	errNoURLFunction = missing("Function does not exist")
	errNoURL         = missing("The resource you requested does not exist.")
)

// urlFunction checks that there is what a URL is to lead to.
func urlFunction(tx store.ReadTx, r ref) error {
	_, _, err := find(tx, r)
	if permanent(err) {
		err = errNoURLFunction
	}
	return err
}

// shownURL is a URL's configuration with the URL. AWS's own host name leads
// to AWS, so it is written as this server is reached.
func shownURL(ctx context.Context, region string, u *urlRecord) *lambdaapi.FunctionUrlConfig {
	c := u.Config
	c.FunctionUrl = wire.Ptr(urlOf(wire.CallerFrom(ctx).Endpoint, u.ID, region))
	return &c
}

// urlOf puts a URL's own labels in front of the server's host. Addresses that
// can't have labels are this machine's: localhost and all below it.
func urlOf(endpoint, id, region string) string {
	at, err := url.Parse(endpoint)
	if err != nil {
		return endpoint
	}
	host := at.Hostname()
	if net.ParseIP(host) != nil {
		host = "localhost"
	}
	if port := at.Port(); port != "" {
		host = net.JoinHostPort(host, port)
	}
	return at.Scheme + "://" + id + ".lambda-url." + region + "." + host + "/"
}

// CreateFunctionUrlConfig gives a function or an alias a URL.
func (s *Service) CreateFunctionUrlConfig(ctx context.Context, in *lambdaapi.CreateFunctionUrlConfigRequest) (*lambdaapi.CreateFunctionUrlConfigResponse, error) {
	r, err := urlRef(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now().UTC().Format(urlTime)
	u := &urlRecord{ID: ident.Lower(urlIDLength), Config: lambdaapi.FunctionUrlConfig{
		FunctionArn: wire.Ptr(r.qualified()), AuthType: in.AuthType, Cors: cors(in.Cors), CreationTime: &now, LastModifiedTime: &now,
		InvokeMode: wire.Ptr(lambdaapi.InvokeModeBUFFERED),
	}}
	setIf(&u.Config.InvokeMode, in.InvokeMode)
	err = s.update(ctx, r.id, func(tx store.Tx) error {
		if err := urlFunction(tx, r); err != nil {
			return err
		}
		have, err := urls.Get(tx, r.key(r.qualifier)...)
		if err != nil {
			return err
		}
		if have != nil {
			return conflict("Failed to create function url config for [functionArn = %s]. Error message:  FunctionUrlConfig exists for this Lambda function", r.qualified())
		}
		return urls.Put(tx, u, r.key(r.qualifier)...)
	})
	if err != nil {
		return nil, err
	}
	c := shownURL(ctx, r.region, u)
	return &lambdaapi.CreateFunctionUrlConfigResponse{
		FunctionUrl: c.FunctionUrl, FunctionArn: c.FunctionArn, AuthType: c.AuthType, Cors: c.Cors, CreationTime: c.CreationTime, InvokeMode: in.InvokeMode,
	}, nil
}

// cors is a setting as it is kept: an empty one is none.
func cors(in *lambdaapi.Cors) *lambdaapi.Cors {
	if in == nil || in.AllowCredentials == nil && in.MaxAge == nil && len(in.AllowHeaders)+len(in.AllowMethods)+len(in.AllowOrigins)+len(in.ExposeHeaders) == 0 {
		return nil
	}
	return in
}

// GetFunctionUrlConfig returns the URL of a function or an alias.
func (s *Service) GetFunctionUrlConfig(ctx context.Context, in *lambdaapi.GetFunctionUrlConfigRequest) (*lambdaapi.GetFunctionUrlConfigResponse, error) {
	r, err := urlRef(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	var u *urlRecord
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		u, err = urls.Get(tx, r.key(r.qualifier)...)
		return err
	})
	if err != nil || u == nil {
		return nil, cmp.Or(err, errNoURL)
	}
	c := shownURL(ctx, r.region, u)
	return &lambdaapi.GetFunctionUrlConfigResponse{
		FunctionUrl: c.FunctionUrl, FunctionArn: c.FunctionArn, AuthType: c.AuthType, Cors: c.Cors, CreationTime: c.CreationTime,
		LastModifiedTime: c.LastModifiedTime, InvokeMode: c.InvokeMode,
	}, nil
}

// UpdateFunctionUrlConfig changes those settings of a URL that the request has.
func (s *Service) UpdateFunctionUrlConfig(ctx context.Context, in *lambdaapi.UpdateFunctionUrlConfigRequest) (*lambdaapi.UpdateFunctionUrlConfigResponse, error) {
	r, err := urlRef(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now().UTC().Format(urlTime)
	var u *urlRecord
	err = s.update(ctx, r.id, func(tx store.Tx) error {
		if err := urlFunction(tx, r); err != nil {
			return err
		}
		if u, err = urls.Get(tx, r.key(r.qualifier)...); err != nil || u == nil {
			return cmp.Or(err, errNoURL)
		}
		u.Config.LastModifiedTime = &now
		setIf(&u.Config.AuthType, in.AuthType)
		setIf(&u.Config.InvokeMode, in.InvokeMode)
		if in.Cors != nil {
			u.Config.Cors = cors(in.Cors)
		}
		return urls.Put(tx, u, r.key(r.qualifier)...)
	})
	if err != nil {
		return nil, err
	}
	c := shownURL(ctx, r.region, u)
	return &lambdaapi.UpdateFunctionUrlConfigResponse{
		FunctionUrl: c.FunctionUrl, FunctionArn: c.FunctionArn, AuthType: c.AuthType, Cors: c.Cors, CreationTime: c.CreationTime,
		LastModifiedTime: c.LastModifiedTime, InvokeMode: in.InvokeMode,
	}, nil
}

// DeleteFunctionUrlConfig takes the URL of a function or an alias away.
func (s *Service) DeleteFunctionUrlConfig(ctx context.Context, in *lambdaapi.DeleteFunctionUrlConfigRequest) error {
	r, err := urlRef(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return err
	}
	var u *urlRecord
	err = s.update(ctx, r.id, func(tx store.Tx) error {
		if u, err = urls.Get(tx, r.key(r.qualifier)...); err != nil || u == nil {
			return cmp.Or(err, errNoURL)
		}
		return urls.Delete(tx, r.key(r.qualifier)...)
	})
	return err
}

// ListFunctionUrlConfigs lists the URLs of a function and its aliases.
func (s *Service) ListFunctionUrlConfigs(ctx context.Context, in *lambdaapi.ListFunctionUrlConfigsRequest) (*lambdaapi.ListFunctionUrlConfigsResponse, error) {
	r, err := urlRef(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	var found []lambdaapi.FunctionUrlConfig
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		found = nil
		if f, err := functions.Get(tx, r.key()...); err != nil || f == nil {
			return cmp.Or(err, errNoURLFunction)
		}
		for u, err := range urls.All(tx, r.key()...) {
			if err != nil {
				return err
			}
			found = append(found, *shownURL(ctx, r.region, u))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListFunctionUrlConfigsResponse{}
	out.FunctionUrlConfigs, out.NextMarker, err = page(found, in.Marker, in.MaxItems)
	return out, err
}

// publishURLs brings the data plane up to a function's URLs; s.publishing is
// held.
func (s *Service) publishURLs(i id, present []*functionurl.URL) {
	have := map[string]bool{}
	for _, u := range present {
		have[u.ID] = true
		s.URLs.Put(u)
	}
	for _, old := range s.published[i] {
		if !have[old] {
			s.URLs.Remove(old)
		}
	}
	delete(s.published, i)
	for _, u := range present {
		s.published[i] = append(s.published[i], u.ID)
	}
}

// compileURLs reads a function's URLs into their published form.
func compileURLs(r store.ReadTx, i id) (out []*functionurl.URL, err error) {
	for u, err := range urls.All(r, i.key()...) {
		if err != nil {
			return nil, err
		}
		c := &u.Config
		compiled := &functionurl.URL{
			ID: u.ID, FunctionARN: *c.FunctionArn, Account: i.account, Region: i.region,
			Signed: *c.AuthType == lambdaapi.FunctionUrlAuthTypeAWSIAM, Streaming: *c.InvokeMode == lambdaapi.InvokeModeRESPONSESTREAM,
		}
		if c.Cors != nil {
			compiled.CORS = &functionurl.CORS{
				Origins: c.Cors.AllowOrigins, Methods: c.Cors.AllowMethods, Headers: c.Cors.AllowHeaders, Expose: c.Cors.ExposeHeaders,
				Credentials: wire.Val(c.Cors.AllowCredentials), MaxAge: wire.Val(c.Cors.MaxAge),
			}
		}
		out = append(out, compiled)
	}
	return out, nil
}

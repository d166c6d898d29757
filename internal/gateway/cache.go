package gateway

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// cachePolicy is how a method's answers are cached (developer guide, "Cache
// settings for REST APIs in API Gateway"); nil for a method without caching.
type cachePolicy struct {
	life       time.Duration
	onlyGet    bool // the stage's settings hold for GET requests alone
	authorized bool // clients need a permission to get past the cache
	strategy   string
	// What the entries are kept by: the path is no part of it, so that methods
	// with one namespace share answers, and path variables count only as keys.
	namespace string
	keys      []mapping
}

// cacheOutcome is what the cache did for a request.
type cacheOutcome int

const (
	notCached cacheOutcome = iota // the method has no cache
	cacheHit
	cacheMiss
	cachePassed // the client got past the cache
)

// compileCache reads the caching part of a method's settings; own tells those
// made for the method from the stage's.
func compileCache(config *apigatewayapi.MethodSetting, own bool) *cachePolicy {
	life := wire.Val(config.CacheTtlInSeconds)
	if !wire.Val(config.CachingEnabled) || life <= 0 {
		return nil
	}
	return &cachePolicy{
		life: time.Duration(life) * time.Second, onlyGet: !own,
		authorized: config.RequireAuthorizationForCacheControl == nil || *config.RequireAuthorizationForCacheControl,
		strategy:   wire.Val(config.UnauthorizedCacheControlHeaderStrategy),
	}
}

// setKeys adds what the integration says of the method's entries.
func (p *cachePolicy) setKeys(i *apigatewayapi.Integration, resourceID string) error {
	p.namespace = wire.Val(i.CacheNamespace)
	if p.namespace == "" {
		p.namespace = resourceID
	}
	for _, source := range i.CacheKeyParameters {
		if strings.HasPrefix(source, requestSide.target) { // stands for what is mapped to it
			if source = i.RequestParameters[source]; source == "" {
				continue
			}
		}
		key, err := compileMapping(requestSide, "integration.request.header.key", source)
		if err != nil {
			return err
		}
		p.keys = append(p.keys, key)
	}
	return nil
}

// cacheRoom is the size of a cluster in bytes; sizes are given in gigabytes.
func cacheRoom(size *string) int64 {
	const gigabyte = 1 << 30
	gigabytes, err := strconv.ParseFloat(wire.Val(size), 64)
	if err != nil || gigabytes <= 0 {
		gigabytes = 0.5
	}
	return int64(gigabytes * gigabyte)
}

// openCaches gives a stage and its canary their clusters: those of the stage
// that was published before, or new ones if there were none of this size.
func (st *stage) openCaches(s *Stage, before *stage) {
	if !wire.Val(s.Stage.CacheClusterEnabled) {
		return
	}
	room := cacheRoom(s.Stage.CacheClusterSize)
	keep := func(old *stage) *cacheStore {
		if old != nil && old.cache != nil && old.cache.room == room {
			return old.cache
		}
		return newCacheStore(room)
	}
	st.cache = keep(before)
	if c := st.canary; c != nil {
		if c.useStageCache {
			c.cache = st.cache
			return
		}
		var old *stage
		if before != nil && before.canary != nil && before.canary.cache != before.cache {
			old = before.canary.stage
		}
		c.cache = keep(old)
	}
}

// FlushCache forgets the answers in a stage's cache.
func (g *Gateway) FlushCache(apiID, stage string) {
	for half := range g.tables.Load().stages[stageKey{apiID, stage}].halves() {
		if half.cache != nil {
			half.cache.clear()
		}
	}
}

// recall answers the request from the cache, or else finds out whether its
// answer is to be cached.
func (x *exchange) recall() *failure {
	p := x.m.settings.cache
	if p == nil || x.st.cache == nil || p.onlyGet && x.verb != http.MethodGet {
		return nil
	}
	x.at("cache")
	key, err := x.cacheKey(p)
	if err != nil {
		return badRequestBody("Invalid JSON in request body")
	}
	x.cacheKeyed = key
	if passesCache(x.r.Header) {
		if !p.authorized || x.mayInvalidate() {
			x.cached = cachePassed
			x.note("cache", "invalidated by the client")
			return nil
		}
		switch p.strategy {
		case apigatewayapi.UnauthorizedCacheControlHeaderStrategyFAILWITH403:
			return cacheControlForbidden()
		case apigatewayapi.UnauthorizedCacheControlHeaderStrategySUCCEEDWITHOUTRESPONSEHEADER:
		default:
			x.warnsOfCache = true
		}
	}
	found := x.st.cache.get(key, x.started)
	if found == nil {
		x.cached = cacheMiss
		x.note("cache", "miss")
		return nil
	}
	x.cached = cacheHit
	x.note("cache", "hit")
	x.answer = answer{status: found.status, header: maps.Clone(found.header), body: found.body}
	if x.answer.header == nil {
		x.answer.header = http.Header{}
	}
	x.warnOfCache()
	return nil
}

// remember puts the answer into the cache, whatever its status.
func (x *exchange) remember() {
	if x.cached == cacheMiss || x.cached == cachePassed {
		x.st.cache.put(&cached{
			key: x.cacheKeyed, until: x.started.Add(x.m.settings.cache.life),
			status: x.answer.status, header: maps.Clone(x.answer.header), body: x.answer.body,
		})
	}
	x.warnOfCache()
}

// warnOfCache tells a client who may not get past the cache that it did not.
// The documentation gives the code, not the words.
func (x *exchange) warnOfCache() {
	if x.warnsOfCache {
		x.answer.header["Warning"] = []string{"199 - \"Cache-Control header ignored: not authorized to invalidate the cache\""}
	}
}

// passesCache tells whether a client wants an answer that comes from the
// integration.
func passesCache(h http.Header) bool {
	for directive := range strings.SplitSeq(one(h, "Cache-Control"), ",") {
		if strings.EqualFold(strings.TrimSpace(directive), "max-age=0") {
			return true
		}
	}
	return false
}

// mayInvalidate decides whether whoever signed the request may invalidate the
// method's entries. Callers that no signature names have no such permission.
func (x *exchange) mayInvalidate() bool {
	if x.caller.signer == nil {
		return false
	}
	req := x.policyRequest()
	req.Action = "execute-api:InvalidateCache"
	return x.gw.signers.Decide(x.caller.signer, req).Allowed
}

// cacheKey is what the answer is kept by.
func (x *exchange) cacheKey(p *cachePolicy) (string, error) {
	b := make([]byte, 0, 128)
	b = append(append(b, p.namespace...), ' ')
	b = append(b, x.verb...)
	msg := x.requestMessage()
	for i := range p.keys {
		values, err := x.eval(&p.keys[i], msg)
		if err != nil {
			return "", err
		}
		b = append(strconv.AppendInt(append(b, ' '), int64(len(values)), 10), ':')
		for _, v := range values {
			b = append(strconv.AppendInt(b, int64(len(v)), 10), ':')
			b = append(b, v...)
		}
	}
	return string(b), nil
}

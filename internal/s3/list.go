package s3

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strings"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/keys"
	"github.com/butai-dev/butai/internal/wire"
)

// maxKeys is the default and the limit of a page.
const maxKeys = 1000

// readToken returns where a listing goes on. A token that is there and empty is
// an incorrect one.
func readToken(token *string) (string, error) {
	after, err := paging.After(token)
	if err != nil || (token != nil && *token == "") {
		return "", invalidArgument("The continuation token provided is incorrect")
	}
	return after, nil
}

// listing describes a page of a bucket's keys.
type listing struct {
	prefix, delimiter string
	after             string // key, or common prefix with its delimiter
	version           string // of the key after, where a listing of versions goes on
	all               bool   // list every version instead of the newest that can be read
	limit             int
}

// entry is a line of a listing: a version or a common prefix.
type entry struct {
	*object
	latest bool
	prefix string
}

// name is what the entry is sorted by.
func (e entry) name() string {
	if e.object == nil {
		return e.prefix
	}
	return e.Key
}

func newListing(prefix, delimiter *string, limit *int64) (listing, error) {
	l := listing{prefix: wire.Val(prefix), delimiter: wire.Val(delimiter), limit: maxKeys}
	if limit != nil {
		if *limit < 0 {
			return l, invalidArgument("Argument max-keys must be an integer between 0 and 2147483647")
		}
		l.limit = int(min(*limit, maxKeys))
	}
	return l, nil
}

// page returns the entries of one page and whether there are more.
func (l listing) page(r store.ReadTx, b *bucket) (page []entry, more bool, err error) {
	if l.limit == 0 {
		return nil, false, nil
	}
	for e, err := range l.entries(r, b) {
		if err != nil {
			return nil, false, err
		}
		if len(page) == l.limit {
			return page, true, nil
		}
		page = append(page, e)
	}
	return page, false, nil
}

// entries yields what the listing shows, in the order of the keys.
func (l listing) entries(r store.ReadTx, b *bucket) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		lo := l.start(b)
		for lo != nil {
			lo = l.run(r, b, lo, yield)
		}
	}
}

// start is the store key from which on there may be entries.
func (l listing) start(b *bucket) []byte {
	switch {
	case l.after == "" || l.after < l.prefix:
		return open(versions.Key(b.ID, l.prefix))
	case l.version != "":
		return versions.Key(b.ID, l.after)
	case l.isPrefix(l.after):
		return behind(b, l.after)
	}
	_, lo := keys.PrefixOf(versions.Key(b.ID, l.after))
	return lo
}

// isPrefix reports whether a marker is a common prefix of this listing.
func (l listing) isPrefix(marker string) bool {
	return l.delimiter != "" && strings.HasSuffix(marker, l.delimiter) && len(marker) > len(l.prefix)
}

// open is the key of a tuple whose last part may go on.
func open(key []byte) []byte { return key[:len(key)-2] }

// behind is a store key behind all keys that start with prefix: no UTF-8 text
// has the byte 0xFF.
func behind(b *bucket, prefix string) []byte {
	return append(open(versions.Key(b.ID, prefix)), 0xff)
}

// run yields entries from lo on. It stops at a common prefix and returns
// where to go on behind it, or nil at the end.
func (l listing) run(r store.ReadTx, b *bucket, lo []byte, yield func(entry, error) bool) []byte {
	_, hi := keys.PrefixOf(versions.Key(b.ID))
	last, reached := "", l.version == ""
	for kv, err := range r.Scan(store.Range{Lo: lo, Hi: hi}) {
		if err != nil {
			yield(entry{}, err)
			return nil
		}
		o, err := decode(kv)
		if err != nil {
			yield(entry{}, err)
			return nil
		}
		rest, ok := strings.CutPrefix(o.Key, l.prefix)
		if !ok {
			return nil
		}
		first := o.Key != last
		last = o.Key
		if !reached && o.Key == l.after { // of the page before
			reached = o.Version == l.version
			continue
		}
		reached = true
		if !l.all && (!first || o.Marker) {
			continue
		}
		if i := strings.Index(rest, l.delimiter); l.delimiter != "" && i >= 0 {
			common := l.prefix + rest[:i+len(l.delimiter)]
			if !yield(entry{prefix: common}, nil) {
				return nil
			}
			return behind(b, common)
		}
		if !yield(entry{object: o, latest: first}, nil) {
			return nil
		}
	}
	return nil
}

func decode(kv store.KV) (*object, error) {
	o := new(object)
	if err := json.Unmarshal(kv.Value, o); err != nil {
		return nil, fmt.Errorf("decode S3 version: %w", err)
	}
	return o, nil
}

// encoder writes keys in answers: percent-encoded if the client asked for it.
func encoder(encodingType *string) func(*string) *string {
	if encodingType == nil {
		return func(s *string) *string { return s }
	}
	return func(s *string) *string {
		if s == nil {
			return nil
		}
		escaped := strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(*s))
		return &escaped
	}
}

// objects turns entries into the two lists of an answer.
func objects(page []entry, encode func(*string) *string, withOwner *s3api.Owner) (contents []s3api.Object, prefixes []s3api.CommonPrefix) {
	for _, e := range page {
		if e.object == nil {
			prefixes = append(prefixes, s3api.CommonPrefix{Prefix: encode(&e.prefix)})
			continue
		}
		item := s3api.Object{
			Key: encode(&e.Key), LastModified: &e.Modified, ETag: e.etag(), Size: &e.Size, StorageClass: e.class(), Owner: withOwner,
		}
		if e.Checksum.Algorithm != "" {
			item.ChecksumAlgorithm, item.ChecksumType = []string{e.Checksum.Algorithm}, &e.Checksum.Type
		}
		contents = append(contents, item)
	}
	return contents, prefixes
}

func (o *object) class() *string {
	if o.StorageClass == "" {
		return wire.Ptr(s3api.StorageClassSTANDARD)
	}
	return &o.StorageClass
}

// list reads one page of a bucket of the caller's.
func (s *Service) list(ctx context.Context, name, expectedOwner *string, l listing) (b *bucket, page []entry, more bool, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		if b, err = getBucket(r, account(ctx), *name, expectedOwner); err != nil {
			return err
		}
		page, more, err = l.page(r, b)
		return err
	})
	return b, page, more, err
}

// ListObjectsV2 lists the newest versions of a bucket's objects.
func (s *Service) ListObjectsV2(ctx context.Context, in *s3api.ListObjectsV2Request) (*s3api.ListObjectsV2Output, error) {
	l, err := newListing(in.Prefix, in.Delimiter, in.MaxKeys)
	if err != nil {
		return nil, err
	}
	if l.after, err = readToken(in.ContinuationToken); err != nil {
		return nil, err
	}
	if in.ContinuationToken == nil {
		l.after = wire.Val(in.StartAfter)
	}
	b, page, more, err := s.list(ctx, in.Bucket, in.ExpectedBucketOwner, l)
	if err != nil {
		return nil, err
	}
	encode := encoder(in.EncodingType)
	out := &s3api.ListObjectsV2Output{
		IsTruncated: &more, Name: in.Bucket, Prefix: encode(wire.Ptr(l.prefix)), Delimiter: encode(in.Delimiter), MaxKeys: wire.Ptr(int64(l.limit)),
		EncodingType: in.EncodingType, KeyCount: wire.Ptr(int64(len(page))), ContinuationToken: in.ContinuationToken, StartAfter: encode(in.StartAfter),
	}
	var shown *s3api.Owner
	if wire.Val(in.FetchOwner) {
		shown = owner(b.Account)
	}
	out.Contents, out.CommonPrefixes = objects(page, encode, shown)
	if more {
		out.NextContinuationToken = paging.Token(page[len(page)-1].name())
	}
	return out, nil
}

// ListObjects is ListObjectsV2 with a key as the marker.
func (s *Service) ListObjects(ctx context.Context, in *s3api.ListObjectsRequest) (*s3api.ListObjectsOutput, error) {
	l, err := newListing(in.Prefix, in.Delimiter, in.MaxKeys)
	if err != nil {
		return nil, err
	}
	l.after = wire.Val(in.Marker)
	b, page, more, err := s.list(ctx, in.Bucket, in.ExpectedBucketOwner, l)
	if err != nil {
		return nil, err
	}
	encode := encoder(in.EncodingType)
	out := &s3api.ListObjectsOutput{
		IsTruncated: &more, Name: in.Bucket, Prefix: encode(wire.Ptr(l.prefix)), Delimiter: encode(in.Delimiter), MaxKeys: wire.Ptr(int64(l.limit)),
		EncodingType: in.EncodingType, Marker: encode(wire.Ptr(l.after)),
	}
	out.Contents, out.CommonPrefixes = objects(page, encode, owner(b.Account))
	if more && in.Delimiter != nil {
		out.NextMarker = encode(wire.Ptr(page[len(page)-1].name()))
	}
	return out, nil
}

// ListObjectVersions lists every version and delete marker, newest first.
func (s *Service) ListObjectVersions(ctx context.Context, in *s3api.ListObjectVersionsRequest) (*s3api.ListObjectVersionsOutput, error) {
	l, err := newListing(in.Prefix, in.Delimiter, in.MaxKeys)
	if err != nil {
		return nil, err
	}
	if in.VersionIdMarker != nil && in.KeyMarker == nil {
		return nil, invalidArgument("A version-id marker cannot be specified without a key marker.")
	}
	l.all, l.after, l.version = true, wire.Val(in.KeyMarker), wire.Val(in.VersionIdMarker)
	b, page, more, err := s.list(ctx, in.Bucket, in.ExpectedBucketOwner, l)
	if err != nil {
		return nil, err
	}
	encode := encoder(in.EncodingType)
	out := &s3api.ListObjectVersionsOutput{
		IsTruncated: &more, Name: in.Bucket, Prefix: encode(wire.Ptr(l.prefix)), Delimiter: encode(in.Delimiter), MaxKeys: wire.Ptr(int64(l.limit)),
		EncodingType: in.EncodingType, KeyMarker: encode(wire.Ptr(l.after)), VersionIdMarker: wire.Ptr(l.version),
	}
	for _, e := range page {
		switch {
		case e.object == nil:
			out.CommonPrefixes = append(out.CommonPrefixes, s3api.CommonPrefix{Prefix: encode(&e.prefix)})
		case e.Marker:
			out.DeleteMarkers = append(out.DeleteMarkers, s3api.DeleteMarkerEntry{
				Owner: owner(b.Account), Key: encode(&e.Key), VersionId: &e.Version, IsLatest: &e.latest, LastModified: &e.Modified,
			})
		default:
			out.Versions = append(out.Versions, s3api.ObjectVersion{
				ETag: e.etag(), Size: &e.Size, StorageClass: e.class(), Key: encode(&e.Key), VersionId: &e.Version,
				IsLatest: &e.latest, LastModified: &e.Modified, Owner: owner(b.Account),
			})
		}
	}
	if more {
		last := page[len(page)-1]
		out.NextKeyMarker = encode(wire.Ptr(last.name()))
		if last.object != nil {
			out.NextVersionIdMarker = &last.Version
		}
	}
	return out, nil
}

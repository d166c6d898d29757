package bundle

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/ident"
)

// LinkPath is where Links wants to be mounted.
const LinkPath = "/_butai/code/"

// linkLife is how long a download link works (API Reference: GetFunction).
const linkLife = 10 * time.Minute

// Links hands out addresses under which archives can be downloaded without
// credentials for a while, and serves them. They take the place of the
// presigned S3 addresses in GetFunction's answer.
type Links struct {
	store  *Store
	clock  clock.Clock
	secret []byte
}

var _ http.Handler = (*Links)(nil)

// NewLinks returns links into s. Links of an earlier process don't work.
func NewLinks(s *Store, c clock.Clock) *Links {
	return &Links{store: s, clock: c, secret: ident.Bytes(32)}
}

// Link returns the path and query under which the archive of a CodeSha256
// can be had.
func (l *Links) Link(sha string) string {
	expires := strconv.FormatInt(l.clock.Now().Add(linkLife).Unix(), 10)
	token := base64.RawURLEncoding.EncodeToString([]byte(sha))
	return LinkPath + token + "?" + url.Values{"Expires": {expires}, "Signature": {l.sign(token, expires)}}.Encode()
}

func (l *Links) sign(token, expires string) string {
	mac := hmac.New(sha256.New, l.secret)
	_, _ = io.WriteString(mac, token+" "+expires)
	return hex.EncodeToString(mac.Sum(nil))
}

// ServeHTTP answers a link with the archive.
func (l *Links) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.URL.Path, LinkPath)
	query := r.URL.Query()
	expires, signature := query.Get("Expires"), query.Get("Signature")
	until, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || !hmac.Equal([]byte(signature), []byte(l.sign(token, expires))) {
		http.Error(w, "The link is not valid.", http.StatusForbidden)
		return
	}
	if l.clock.Now().Unix() > until {
		http.Error(w, "The link has expired.", http.StatusForbidden)
		return
	}
	sha, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	archive, err := l.store.Archive(string(sha))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer archive.Close()
	w.Header().Set("Content-Type", "application/zip")
	_, _ = io.Copy(w, archive) // a client that has gone away needs no answer
}

package ecr

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/store"
)

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone needs no answer
}

// getBlob answers GET and HEAD for a layer or configuration.
func (v *visit) getBlob(digest string) error {
	action := "GetDownloadUrlForLayer"
	if v.Method == http.MethodHead { // what docker push begins with
		action = "BatchCheckLayerAvailability"
	}
	if _, err := v.enter(action); err != nil {
		return err
	}
	return v.sendBlob(digest)
}

// sendBlob answers one who may have the layer.
func (v *visit) sendBlob(digest string) error {
	l, err := v.layer(v.Request.Context(), digest)
	if err != nil {
		return err
	}
	if l == nil {
		return refuse(http.StatusNotFound, "BLOB_UNKNOWN", "The layer with digest '"+digest+"' does not exist.")
	}
	v.Header().Set(digestHeader, digest)
	v.Header().Set("Content-Type", "application/octet-stream")
	if v.Method == http.MethodHead {
		v.Header().Set("Content-Length", strconv.FormatInt(l.Size, 10))
		return nil
	}
	f, err := os.Open(v.blobs.path(digest))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	http.ServeContent(v.ResponseWriter, v.Request, "", info.ModTime(), f) // ranges too
	return nil
}

// beginUpload answers POST: an upload in one go, in parts, or of what another
// repository of the registry has already.
func (v *visit) beginUpload(string) error {
	if _, err := v.enter("InitiateLayerUpload"); err != nil {
		return err
	}
	query := v.Request.URL.Query()
	if digest := query.Get("mount"); digest != "" {
		if done, err := v.mount(digest, query.Get("from")); err != nil || done {
			return err
		}
	}
	id, err := v.begin(v.place)
	if err != nil {
		return err
	}
	if query.Get("digest") != "" {
		return v.endUpload(id)
	}
	v.tellUpload(http.StatusAccepted, id, 0)
	return nil
}

// mount gives the repository a layer of another one, from which the caller may
// pull; false if that has none.
func (v *visit) mount(digest, from string) (bool, error) {
	other := *v
	other.place.name = strings.TrimPrefix(from, v.place.account+"/"+v.place.region+"/")
	if from == "" {
		return false, nil
	}
	if _, err := other.enter("GetDownloadUrlForLayer"); err != nil {
		return false, nil // it has to be sent then
	}
	l, err := other.layer(v.Request.Context(), digest)
	if err != nil || l == nil {
		return false, err
	}
	return true, v.own(l)
}

// own notes that the repository has a layer.
func (v *visit) own(l *layerRecord) error {
	err := v.Store.Update(v.Request.Context(), func(tx store.Tx) error {
		if _, err := get(tx, v.place); err != nil {
			return err
		}
		return layers.Put(tx, l, v.place.key(l.Digest)...)
	})
	if err != nil {
		return err
	}
	v.Header().Set("Location", v.prefix+v.place.name+"/blobs/"+l.Digest)
	v.Header().Set(digestHeader, l.Digest)
	v.WriteHeader(http.StatusCreated)
	return nil
}

// tellUpload says where an upload goes on.
func (v *visit) tellUpload(status int, id string, size int64) {
	v.Header().Set("Location", v.prefix+v.place.name+"/blobs/uploads/"+id)
	v.Header().Set("Docker-Upload-Uuid", id)
	v.Header().Set("Range", fmt.Sprintf("0-%d", max(size-1, 0)))
	v.WriteHeader(status)
}

var errNoUpload = refuse(http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "The upload is unknown, or it is over.")

// addToUpload answers PATCH: another part.
func (v *visit) addToUpload(id string) error {
	if _, err := v.enter("UploadLayerPart"); err != nil {
		return err
	}
	u := v.find(v.place, id)
	if u == nil {
		return errNoUpload
	}
	size, err := u.append(v.Request.Header.Get("Content-Range"), v.Body)
	if err != nil {
		return err
	}
	v.tellUpload(http.StatusAccepted, id, size)
	return nil
}

// append is add for a part that may say where it begins.
func (u *upload) append(contentRange string, from io.Reader) (int64, error) {
	if first, _, ok := strings.Cut(contentRange, "-"); ok {
		u.mu.Lock()
		size := u.size
		u.mu.Unlock()
		if at, err := strconv.ParseInt(first, 10, 64); err != nil || at != size {
			return 0, refuse(http.StatusRequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID", "The part doesn't follow those before it.")
		}
	}
	return u.add(from)
}

// endUpload answers PUT: the last part, if there is one, and the digest.
func (v *visit) endUpload(id string) error {
	if _, err := v.enter("CompleteLayerUpload"); err != nil {
		return err
	}
	digest := v.Request.URL.Query().Get("digest")
	if !isDigest(digest) {
		return refuse(http.StatusBadRequest, "DIGEST_INVALID", "Invalid digest: "+digest)
	}
	u := v.take(v.place, id)
	if u == nil {
		return errNoUpload
	}
	size, err := u.append(v.Request.Header.Get("Content-Range"), v.Body)
	if err != nil {
		u.discard()
		return err
	}
	err = v.blobs.keep(u, digest)
	if errors.Is(err, errDigest) {
		return refuse(http.StatusBadRequest, "DIGEST_INVALID", "The layer doesn't have the digest "+digest)
	}
	if err != nil {
		return err
	}
	return v.own(&layerRecord{Digest: digest, Size: size})
}

// askUpload answers GET: how far the upload is.
func (v *visit) askUpload(id string) error {
	if _, err := v.enter("UploadLayerPart"); err != nil {
		return err
	}
	u := v.find(v.place, id)
	if u == nil {
		return errNoUpload
	}
	u.mu.Lock()
	size := u.size
	u.mu.Unlock()
	v.tellUpload(http.StatusNoContent, id, size)
	return nil
}

// dropUpload answers DELETE.
func (v *visit) dropUpload(id string) error {
	if _, err := v.enter("UploadLayerPart"); err != nil {
		return err
	}
	u := v.take(v.place, id)
	if u == nil {
		return errNoUpload
	}
	u.discard()
	v.WriteHeader(http.StatusNoContent)
	return nil
}

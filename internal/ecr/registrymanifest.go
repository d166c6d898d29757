package ecr

import (
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/butai-dev/butai/internal/store"
)

// maxManifest is the limit of a manifest (OCI distribution specification:
// registries must take 4 MiB).
const maxManifest = 4 << 20

// getManifest answers GET and HEAD.
func (v *visit) getManifest(reference string) error {
	if _, err := v.enter("BatchGetImage"); err != nil {
		return err
	}
	rec, err := v.Service.pulled(v.Request.Context(), v.place, reference)
	if err != nil {
		return err
	}
	if rec == nil {
		return refuse(http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found")
	}
	v.Header().Set(digestHeader, rec.Digest)
	v.Header().Set("Content-Type", rec.MediaType)
	v.Header().Set("Content-Length", strconv.Itoa(len(rec.Manifest)))
	if v.Method == http.MethodGet {
		_, _ = v.ResponseWriter.Write(rec.Manifest) // a client that has gone needs no answer
	}
	return nil
}

// putManifest answers PUT: an image is there now.
func (v *visit) putManifest(reference string) error {
	repository, err := v.enter("PutImage")
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(io.LimitReader(v.Body, maxManifest+1))
	if err != nil {
		return err
	}
	if len(raw) > maxManifest {
		return refuse(http.StatusRequestEntityTooLarge, "MANIFEST_INVALID", "The manifest is too large.")
	}
	rec, m, err := readManifest(raw, v.Request.Header.Get("Content-Type"))
	if err != nil {
		return refuse(http.StatusBadRequest, "MANIFEST_INVALID", "Invalid JSON syntax or manifest: "+err.Error())
	}
	tag := reference
	if isDigest(reference) {
		tag = ""
		if reference != rec.Digest {
			return refuse(http.StatusBadRequest, "DIGEST_INVALID", "The manifest doesn't have the digest "+reference)
		}
	} else if !tagPattern.MatchString(tag) {
		return refuse(http.StatusBadRequest, "TAG_INVALID", "Invalid tag: "+tag)
	}
	err = v.Store.Update(v.Request.Context(), func(tx store.Tx) error {
		if repository, err = get(tx, v.place); err != nil {
			return err
		}
		return v.Service.putManifest(tx, repository, v.place, rec, m, tag)
	})
	if err != nil {
		return err
	}
	v.Header().Set("Location", v.prefix+v.place.name+"/manifests/"+rec.Digest)
	v.Header().Set(digestHeader, rec.Digest)
	if rec.Subject != "" {
		v.Header().Set("Oci-Subject", rec.Subject) // says that the referrers are listed
	}
	v.WriteHeader(http.StatusCreated)
	return nil
}

// listTags answers GET, in pages if asked for.
func (v *visit) listTags(string) error {
	if _, err := v.enter("ListImages"); err != nil {
		return err
	}
	list := []string{}
	err := v.Store.View(v.Request.Context(), func(r store.ReadTx) error {
		for t, err := range tags.All(r, v.place.key()...) {
			if err != nil {
				return err
			}
			list = append(list, t.Tag)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(list)
	query := v.Request.URL.Query()
	if last := query.Get("last"); last != "" {
		list = slices.DeleteFunc(list, func(tag string) bool { return tag <= last })
	}
	name := v.prefix[len(registryRoot):] + v.place.name
	if n, err := strconv.Atoi(query.Get("n")); err == nil && n >= 0 && n < len(list) {
		list = list[:n]
		if n > 0 {
			v.Header().Set("Link", "<"+registryRoot+name+"/tags/list?n="+strconv.Itoa(n)+"&last="+list[n-1]+`>; rel="next"`)
		}
	}
	writeJSON(v.ResponseWriter, http.StatusOK, tagList{name, list})
	return nil
}

type tagList struct {
	Name string   `json:"name"`
	Tags []string `json:"tags"`
}

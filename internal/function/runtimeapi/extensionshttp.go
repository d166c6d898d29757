package runtimeapi

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/ident"
)

// The Extensions API, as extensions call it.

func (x *Extensions) routes(mux *http.ServeMux) {
	const base = "/2020-01-01/extension"
	mux.HandleFunc("POST "+base+"/register", x.serveRegister)
	mux.HandleFunc("GET "+base+"/event/next", x.known(x.serveNext))
	mux.HandleFunc("POST "+base+"/init/error", x.known(x.serveError))
	mux.HandleFunc("POST "+base+"/exit/error", x.known(x.serveError))
	x.telemetryRoutes(mux)
}

func (x *Extensions) serveRegister(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get("Lambda-Extension-Name")
	if name == "" {
		refuse(w, http.StatusForbidden, "Extension.InvalidExtensionName", "Empty extension name")
		return
	}
	var body struct {
		Events []string `json:"events"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&body); err != nil {
		refuse(w, http.StatusForbidden, "InvalidRequestFormat", err.Error())
		return
	}
	id, refusal := x.register(name, body.Events)
	if refusal != nil {
		refuse(w, http.StatusForbidden, refusal.Type, refusal.Message)
		return
	}
	answer := struct {
		Name    string `json:"functionName"`
		Version string `json:"functionVersion"`
		Handler string `json:"handler"`
		Account string `json:"accountId,omitempty"`
	}{x.function.Name, x.function.Version, x.function.Handler, ""}
	for feature := range strings.SplitSeq(r.Header.Get("Lambda-Extension-Accept-Feature"), ",") {
		if strings.TrimSpace(feature) == "accountId" {
			answer.Account = x.function.Account
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(identifierHeader, id)
	json.NewEncoder(w).Encode(answer)
}

// known passes on the requests of registered extensions.
func (x *Extensions) known(serve func(http.ResponseWriter, *http.Request, *extension)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(identifierHeader)
		e := x.byID(id)
		switch {
		case id == "":
			refuse(w, http.StatusForbidden, "Extension.MissingExtensionIdentifier", "Missing "+identifierHeader+" header")
		case !uuidForm.MatchString(id):
			refuse(w, http.StatusForbidden, "Extension.InvalidExtensionIdentifier", "Invalid "+identifierHeader)
		case e == nil:
			refuse(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "Unknown extension "+id)
		default:
			serve(w, r, e)
		}
	}
}

func (x *Extensions) serveNext(w http.ResponseWriter, r *http.Request, e *extension) {
	data := x.next(e, r.Context().Done())
	if data == nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Lambda-Extension-Event-Identifier", ident.UUID())
	w.Write(data)
}

func (x *Extensions) serveError(w http.ResponseWriter, r *http.Request, e *extension) {
	kind := r.Header.Get("Lambda-Extension-Function-Error-Type")
	if kind == "" {
		refuse(w, http.StatusForbidden, "Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")
		return
	}
	accept(w)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.fail(e, kind, kind)
}

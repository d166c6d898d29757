package server

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/function/fault"
	"github.com/butai-dev/butai/internal/wire"
)

// faultHandler lets the caller's account rehearse failures of its functions,
// for signed requests of clients on this machine alone. Faults are forgotten
// when butai ends.
func faultHandler(api *awsapi.Handler, i *fault.Injector) http.Handler {
	return loopbackOnly(api.Guard(wire.IAMTarget{Action: "butai:PutFault", Resource: "*"}, &faults{i}))
}

type faults struct{ injector *fault.Injector }

// ServeHTTP answers GET with the account's faults in a region, and PUT, which
// injects one, with the query parameters region, function, version, errorRate
// (0 to 1) and latency (such as 300ms).
func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	prefix := fmt.Sprintf("arn:aws:lambda:%s:%s:function:", cmp.Or(q.Get("region"), DefaultRegion), wire.CallerFrom(r.Context()).Account)
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut:
		one := fault.Fault{FunctionARN: prefix + q.Get("function"), Version: q.Get("version")}
		var rateErr, latencyErr error
		one.ErrorRate, rateErr = strconv.ParseFloat(cmp.Or(q.Get("errorRate"), "0"), 64)
		one.Latency, latencyErr = time.ParseDuration(cmp.Or(q.Get("latency"), "0s"))
		if err := cmp.Or(rateErr, latencyErr); err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
			return
		}
		if err := f.injector.Set(one); err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
			return
		}
	default:
		w.Header().Set("Allow", "GET, PUT")
		writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"message": "Faults are read with GET and set with PUT."})
		return
	}
	writeJSON(w, http.StatusOK, map[string][]fault.Fault{"faults": f.injector.List(prefix)})
}

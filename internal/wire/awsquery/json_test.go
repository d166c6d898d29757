package awsquery

import (
	"net/http/httptest"
	"testing"

	"github.com/butai-dev/butai/internal/api/stsapi"
	"github.com/butai-dev/butai/internal/wire"
)

func TestJSONAnswers(t *testing.T) {
	t.Parallel()
	op := stsapi.Service.Operation("GetCallerIdentity")
	res, err := JSON{}.Encode(&stsapi.Service, op, &stsapi.GetCallerIdentityResponse{Account: wire.Ptr("1")}, "r")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"UserId":null,"Account":"1","Arn":null},"ResponseMetadata":{"RequestId":"r"}}}`
	if string(res.Body) != want {
		t.Errorf("got %s\nwant %s", res.Body, want)
	}
	failed := JSON{}.EncodeError(&stsapi.Service, &wire.Error{Code: "AccessDenied", Status: 403, Message: `no "way"`}, "r")
	const wantError = `{"Error":{"Code":"AccessDenied","Message":"no \"way\"","Type":"Sender"},"RequestId":"r"}`
	if string(failed.Body) != wantError || failed.Status != 403 {
		t.Errorf("got %d %s", failed.Status, failed.Body)
	}
	for accept, want := range map[string]bool{"application/json": true, "Application/JSON; q=1, */*": true, "*/*": false, "": false, "text/xml, application/json": false} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", accept)
		if acceptsJSON(r) != want {
			t.Errorf("Accept: %s gives %v", accept, !want)
		}
	}
}

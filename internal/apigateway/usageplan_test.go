package apigateway_test

import (
	"strings"
	"testing"
	"time"
)

func TestUsagePlans(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api := h.newServed("dev")
	stage := object{"apiId": api, "stage": "dev"}
	plan := h.must(201, "POST", "/usageplans", object{"name": "plan", "description": "Test", "apiStages": []object{stage},
		"quota": object{"limit": 10, "period": "DAY", "offset": 0}, "throttle": object{"rateLimit": 2, "burstLimit": 1}, "tags": object{"tag_key": "tag_value"}})
	h.same("create", plan, `{"id": "*", "name": "plan", "description": "Test", "apiStages": [{"apiId": "`+api+`", "stage": "dev"}],
		"quota": {"limit": 10, "offset": 0, "period": "DAY"}, "throttle": {"burstLimit": 1, "rateLimit": 2}, "tags": {"tag_key": "tag_value"}}`)
	path := "/usageplans/" + plan["id"].(string)
	bare := h.must(201, "POST", "/usageplans", object{"name": "bare"})
	h.same("bare", bare, `{"id": "*", "name": "bare", "apiStages": []}`)
	h.same("get", h.must(200, "GET", "/usageplans/"+bare["id"].(string), nil), `{"id": "*", "name": "bare", "apiStages": [], "tags": {}}`)
	if got := len(h.must(200, "GET", "/usageplans", nil)["item"].([]any)); got != 2 {
		t.Errorf("%d plans listed", got)
	}

	edit := func(what string, ops []string, want string) {
		t.Helper()
		got := h.must(200, "PATCH", path, patch(ops...))
		delete(got, "id")
		delete(got, "tags")
		delete(got, "name")
		delete(got, "description")
		h.same(what, got, want)
	}
	at := api + ":dev"
	const quota = `"quota": {"limit": 10, "offset": 0, "period": "DAY"}`
	// As Terraform writes it: the resource's own slash makes a double one.
	edit("method limits", []string{"replace /apiStages/" + at + "/throttle//pets/POST/rateLimit 5", "replace /apiStages/" + at + "/throttle//pets/POST/burstLimit 7"},
		`{"apiStages": [{"apiId": "`+api+`", "stage": "dev", "throttle": {"/pets/POST": {"burstLimit": 7, "rateLimit": 5}}}], `+quota+`, "throttle": {"burstLimit": 1, "rateLimit": 2}}`)
	// As the documentation writes it.
	edit("escaped", []string{"add /apiStages/" + at + "/throttle/~1pets~1{id}/GET/rateLimit 1.5", "remove /apiStages/" + at + "/throttle//pets/POST", "remove /throttle"},
		`{"apiStages": [{"apiId": "`+api+`", "stage": "dev", "throttle": {"/pets/{id}/GET": {"burstLimit": 0, "rateLimit": 1.5}}}], `+quota+`}`)
	edit("root", []string{"add /apiStages/" + at + "/throttle///GET/burstLimit 3", "replace /throttle/rateLimit 200", "replace /throttle/burstLimit 100"},
		`{"apiStages": [{"apiId": "`+api+`", "stage": "dev", "throttle": {"//GET": {"burstLimit": 3, "rateLimit": 0}, "/pets/{id}/GET": {"burstLimit": 0, "rateLimit": 1.5}}}], `+
			quota+`, "throttle": {"burstLimit": 100, "rateLimit": 200}}`)
	edit("no method limits", []string{"remove /apiStages/" + at + "/throttle", "remove /quota", "add /productCode code"},
		`{"apiStages": [{"apiId": "`+api+`", "stage": "dev"}], "throttle": {"burstLimit": 100, "rateLimit": 200}, "productCode": "code"}`)
	edit("quota", []string{"add /quota/limit 3", "add /quota/period MONTH", "add /quota/offset 27", "remove /productCode"},
		`{"apiStages": [{"apiId": "`+api+`", "stage": "dev"}], "throttle": {"burstLimit": 100, "rateLimit": 200}, "quota": {"limit": 3, "offset": 27, "period": "MONTH"}}`)
	edit("stages", []string{"remove /apiStages " + at, "add /apiStages " + at}, `{"apiStages": [{"apiId": "`+api+`", "stage": "dev"}],
		"throttle": {"burstLimit": 100, "rateLimit": 200}, "quota": {"limit": 3, "offset": 27, "period": "MONTH"}}`)

	with := func(member string, v any) object { return object{"name": "x", member: v} }
	quotaOf := func(limit, offset int, period string) object {
		return with("quota", object{"limit": limit, "offset": offset, "period": period})
	}
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"NotFoundException", "Invalid Usage Plan ID specified", "GET", "/usageplans/nope", nil},
		{"NotFoundException", "Invalid Usage Plan ID specified", "DELETE", "/usageplans/nope", nil},
		{"NotFoundException", "API Stage not found: " + api + ":prod", "POST", "/usageplans", with("apiStages", []object{{"apiId": api, "stage": "prod"}})},
		{"BadRequestException", "Invalid API Stage {api: %s, stage: %s} specified for usageplan %s", "POST", "/usageplans", with("apiStages", []object{{"apiId": "", "stage": "dev"}})},
		{"BadRequestException", "Invalid method {resourcePath: pets,method: } specified", "POST", "/usageplans",
			with("apiStages", []object{{"apiId": api, "stage": "dev", "throttle": object{"pets": object{"rateLimit": 1}}}})},
		{"BadRequestException", "Invalid Usage Plan quota period specified. Must be one of [DAY, WEEK, MONTH]", "POST", "/usageplans", with("quota", object{"limit": 1})},
		{"BadRequestException", "Usage Plan quota limit must be a non-negative numeric", "POST", "/usageplans", quotaOf(-1, 0, "DAY")},
		{"BadRequestException", "Usage Plan quota offset must be between 0 and 0 inclusive in the DAY period", "POST", "/usageplans", quotaOf(1, 1, "DAY")},
		{"BadRequestException", "Usage Plan quota offset must be between 0 and 6 inclusive in the WEEK period", "POST", "/usageplans", quotaOf(1, 7, "WEEK")},
		{"BadRequestException", "Usage Plan quota offset must be between 0 and 27 inclusive in the MONTH period", "POST", "/usageplans", quotaOf(1, 28, "MONTH")},
		{"BadRequestException", "Cannot delete Usage Plan " + plan["id"].(string) + " because there are API Stages associated with it, including " + at, "DELETE", path, nil},
		{"BadRequestException", "Invalid API Stage specified", "PATCH", path, patch("remove /apiStages")},
		{"NotFoundException", "Invalid API Stage {api: " + api + ", stage: prod} specified for usageplan " + plan["id"].(string), "PATCH", path, patch("remove /apiStages " + api + ":prod")},
		{"NotFoundException", `API Stage not found: {"apiId": "kx", "stage"`, "PATCH", path, patch(`add /apiStages {"apiId": "kx", "stage": "dev"}`)},
		{"BadRequestException", "Invalid patch path  '/apiStages/" + at + "' specified for op 'remove'. Must be one of: [/apiStages, /quota, /throttle, /productCode, " +
			"/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, /apiStages/<apidId:stageName>/throttle]", "PATCH", path, patch("remove /apiStages/" + at)},
		{"BadRequestException", "Invalid patch path  '/name' specified for op 'add'. Please choose supported operations", "PATCH", path, patch("add /name x")},
		{"BadRequestException", "Usage Plan quota limit must be a non-negative numeric", "PATCH", path, patch("replace /quota/limit 0")},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	edit("untouched", nil, `{"apiStages": [{"apiId": "`+api+`", "stage": "dev"}], "throttle": {"burstLimit": 100, "rateLimit": 200}, "quota": {"limit": 3, "offset": 27, "period": "MONTH"}}`)
	h.must(202, "DELETE", "/restapis/"+api+"/stages/dev", nil)
	edit("without the stage", nil, `{"apiStages": [], "throttle": {"burstLimit": 100, "rateLimit": 200}, "quota": {"limit": 3, "offset": 27, "period": "MONTH"}}`)
	h.must(202, "DELETE", path, nil)
}

func TestUsagePlanKeys(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api := h.newServed("dev")
	stages := []object{{"apiId": api, "stage": "dev"}}
	plan := h.must(201, "POST", "/usageplans", object{"name": "one", "apiStages": stages})["id"].(string)
	rival := h.must(201, "POST", "/usageplans", object{"name": "two", "apiStages": stages})["id"].(string)
	free := h.must(201, "POST", "/usageplans", object{"name": "three"})["id"].(string)
	key := h.must(201, "POST", "/apikeys", object{"name": "k", "enabled": true, "value": "0123456789abcdefghij"})["id"].(string)
	keys := func(plan string) string { return "/usageplans/" + plan + "/keys" }
	subscribe := object{"keyId": key, "keyType": "API_KEY"}
	const shown = `{"id": "*", "type": "API_KEY", "value": "0123456789abcdefghij", "name": "k"}`
	h.same("create", h.must(201, "POST", keys(plan), subscribe), shown)
	h.same("get", h.must(200, "GET", keys(plan)+"/"+key, nil), shown)
	h.same("list", h.must(200, "GET", keys(plan)+"?name=k", nil), `{"item": [`+shown+`]}`)
	h.same("list another name", h.must(200, "GET", keys(plan)+"?name=x", nil), `{"item": []}`)
	h.must(201, "POST", keys(free), subscribe)
	if got := len(h.must(200, "GET", "/usageplans?keyId="+key, nil)["item"].([]any)); got != 2 {
		t.Errorf("the key has %d plans, want 2", got)
	}
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"ConflictException", "Usage Plan " + plan + " already has API Key " + key, "POST", keys(plan), subscribe},
		{"ConflictException", "API Key " + key + " is already associated with Usage Plan " + plan + " for API Stage " + api + ":dev", "POST", keys(rival), subscribe},
		{"ConflictException", "API Key " + key + " is already associated with Usage Plan " + plan + " for API Stage " + api + ":dev",
			"PATCH", "/usageplans/" + free, patch("add /apiStages " + api + ":dev")},
		{"BadRequestException", "Invalid key type specified. Valid options are API_KEY", "POST", keys(rival), object{"keyId": key, "keyType": "X"}},
		{"NotFoundException", "Invalid API Key identifier specified", "POST", keys(rival), object{"keyId": "nope", "keyType": "API_KEY"}},
		{"NotFoundException", "Invalid Usage Plan ID specified", "POST", keys("nope"), subscribe},
		{"NotFoundException", "Invalid API Key identifier specified", "GET", keys(rival) + "/" + key, nil},
		{"NotFoundException", "Invalid API Key identifier specified", "DELETE", keys(rival) + "/" + key, nil},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	h.must(202, "DELETE", keys(plan)+"/"+key, nil)
	h.must(201, "POST", keys(rival), subscribe)
	h.must(202, "DELETE", "/apikeys/"+key, nil)
	h.same("without the key", h.must(200, "GET", keys(rival), nil), `{"item": []}`)
}

// TestUsage reads, grants and restarts.
func TestUsage(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api := h.newServed("dev")
	plan := h.must(201, "POST", "/usageplans", object{"name": "p", "apiStages": []object{{"apiId": api, "stage": "dev"}},
		"quota": object{"limit": 10, "period": "WEEK", "offset": 0}})["id"].(string)
	key := h.must(201, "POST", "/apikeys", object{"enabled": true})["id"].(string)
	h.must(201, "POST", "/usageplans/"+plan+"/keys", object{"keyId": key, "keyType": "API_KEY"})
	usage := func() object {
		return h.must(200, "GET", "/usageplans/"+plan+"/usage?startDate=2025-06-30&endDate=2025-07-02", nil)
	}
	const head = `"usagePlanId": "*", "startDate": "2025-06-30", "endDate": "2025-07-02"`
	h.same("unused", usage(), `{`+head+`, "values": {"`+key+`": [[0, 10], [0, 10], [0, 10]]}}`)
	h.same("grant", h.must(200, "PATCH", "/usageplans/"+plan+"/keys/"+key+"/usage", patch("replace /remaining 25")),
		`{"usagePlanId": "*", "startDate": "2025-07-01", "endDate": "2025-07-01", "values": {"`+key+`": [[0, 25]]}}`)
	want := `{` + head + `, "values": {"` + key + `": [[0, 10], [0, 25], [0, 25]]}}`
	h.same("granted", usage(), want)
	h.start()
	h.same("after a restart", usage(), want)
	h.clock.Advance(7 * 24 * time.Hour)
	h.same("a week later", h.must(200, "GET", "/usageplans/"+plan+"/usage?startDate=2025-07-08&endDate=2025-07-08&keyId="+key, nil),
		`{"usagePlanId": "*", "startDate": "2025-07-08", "endDate": "2025-07-08", "values": {"`+key+`": [[0, 10]]}}`)
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"NotFoundException", "Invalid Usage Plan ID specified", "GET", "/usageplans/nope/usage?startDate=2025-07-01&endDate=2025-07-01", nil},
		{"BadRequestException", "Invalid patch path  '/used' specified for op 'replace'. Must be one of: [/remaining]", "PATCH", "/usageplans/" + plan + "/keys/" + key + "/usage", patch("replace /used 1")},
		{"NotFoundException", "Invalid API Key identifier specified", "PATCH", "/usageplans/" + plan + "/keys/nope/usage", patch("replace /remaining 1")},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	for _, bad := range []string{"startDate=x&endDate=2025-07-01", "startDate=2025-07-02&endDate=2025-07-01", "startDate=2025-01-01&endDate=2025-07-01"} {
		if status, kind, _ := h.call("GET", "/usageplans/"+plan+"/usage?"+bad, nil); status != 400 || !strings.Contains(kind, "BadRequest") {
			t.Errorf("%s: %d %s", bad, status, kind)
		}
	}
	h.must(200, "PATCH", "/usageplans/"+plan, patch("remove /quota"))
	h.same("without a quota", usage(), `{`+head+`, "values": {}}`)
	h.fails("BadRequestException", "Usage Plan "+plan+" does not have a quota", "PATCH", "/usageplans/"+plan+"/keys/"+key+"/usage", patch("replace /remaining 1"))
}

func TestUsagePlanQuotas(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	key := object{"keyId": h.must(201, "POST", "/apikeys", object{})["id"], "keyType": "API_KEY"}
	for i := range 300 {
		plan := h.must(201, "POST", "/usageplans", object{"name": "p"})["id"].(string)
		switch keys := "/usageplans/" + plan + "/keys"; {
		case i < 10:
			h.must(201, "POST", keys, key)
		case i == 10:
			h.fails("LimitExceededException", "Maximum number of usage plans for this API key has been reached. Please contact AWS if you need additional usage plans.", "POST", keys, key)
		}
	}
	h.fails("LimitExceededException", "Maximum number of usage plans for this account has been reached. Please contact AWS if you need additional usage plans.",
		"POST", "/usageplans", object{"name": "p"})
}

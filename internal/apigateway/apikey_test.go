package apigateway_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// newServed makes an API with a deployed stage and returns the API's id.
func (h *harness) newServed(name string) (api string) {
	h.t.Helper()
	api, _ = h.newMock()
	h.must(201, "POST", "/restapis/"+api+"/deployments", object{"stageName": name})
	return api
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	created := h.must(201, "POST", "/apikeys", object{"name": "one", "enabled": true, "value": "0123456789abcdefghij"})
	h.same("create", created, `{"id": "*", "name": "one", "enabled": true, "value": "0123456789abcdefghij", "createdDate": 1751371200, "lastUpdatedDate": 1751371200, "stageKeys": []}`)
	id := created["id"].(string)
	if len(id) != 10 {
		t.Errorf("id %q", id)
	}
	const shown = `{"id": "*", "name": "one", "enabled": true, "createdDate": 1751371200, "lastUpdatedDate": 1751371200, "stageKeys": [], "tags": {}}`
	h.same("get", h.must(200, "GET", "/apikeys/"+id, nil), shown)
	h.same("get with value", h.must(200, "GET", "/apikeys/"+id+"?includeValue=true", nil),
		strings.Replace(shown, `"tags"`, `"value": "0123456789abcdefghij", "tags"`, 1))
	// What isn't true is false (recorded).
	h.same("update", h.must(200, "PATCH", "/apikeys/"+id, patch("replace /enabled nonsense", "replace /description d", "replace /customerId c")),
		`{"id": "*", "name": "one", "description": "d", "customerId": "c", "enabled": false, "createdDate": 1751371200, "lastUpdatedDate": 1751371200, "stageKeys": [], "tags": {}}`)

	made := h.must(201, "POST", "/apikeys", object{"name": "other", "tags": object{"a": "b"}, "generateDistinctId": true})
	if v := made["value"].(string); len(v) != 40 || made["enabled"] != false || made["id"] == v {
		t.Errorf("a key without a value: %v", made)
	}
	api := h.newServed("dev")
	staged := h.must(201, "POST", "/apikeys", object{"stageKeys": []object{{"restApiId": api, "stageName": "dev"}}})
	h.same("stage keys", h.must(200, "PATCH", "/apikeys/"+staged["id"].(string), patch("remove /stages "+api+"/dev")),
		`{"id": "*", "enabled": false, "createdDate": "*", "lastUpdatedDate": "*", "stageKeys": [], "tags": {}}`)

	names := func(query string) string {
		var got []string
		for _, item := range h.must(200, "GET", "/apikeys?"+query, nil)["item"].([]any) {
			key := item.(object)
			name, _ := key["name"].(string)
			if _, ok := key["value"]; ok {
				name += "!"
			}
			got = append(got, name)
		}
		slices.Sort(got) // keys come by their random ids
		return strings.Join(got, " ")
	}
	for query, want := range map[string]string{
		"name=o": "one other", "name=on": "one", "name=O": "", "customerId=c": "one", "name=one&includeValues=true": "one!",
	} {
		if got := names(query); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	first := h.must(200, "GET", "/apikeys?name=o&limit=1", nil)
	second := h.must(200, "GET", "/apikeys?name=o&limit=1&position="+url.QueryEscape(first["position"].(string)), nil)
	if len(second["item"].([]any)) != 1 || second["position"] != nil {
		t.Errorf("second page: %v", second)
	}

	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"ConflictException", "API Key already exists", "POST", "/apikeys", object{"value": "0123456789abcdefghij"}},
		{"BadRequestException", "API Key value should be at least 20 characters", "POST", "/apikeys", object{"value": "short"}},
		{"BadRequestException", "API Key value exceeds maximum size of 128 characters", "POST", "/apikeys", object{"value": strings.Repeat("x", 129)}},
		{"BadRequestException", "Invalid API Key name, can be at most 1024 characters.", "POST", "/apikeys", object{"name": strings.Repeat("x", 1025)}},
		{"NotFoundException", "Invalid stage identifier specified", "POST", "/apikeys", object{"stageKeys": []object{{"restApiId": api, "stageName": "no"}}}},
		{"NotFoundException", "Invalid API Key identifier specified", "GET", "/apikeys/nope", nil},
		{"NotFoundException", "Invalid API Key identifier specified", "GET", "/apikeys/" + strings.ToUpper(id), nil},
		{"NotFoundException", "Invalid API Key identifier specified", "DELETE", "/apikeys/nope", nil},
		{"BadRequestException", "Invalid patch path  '/value' specified for op 'replace'. Must be one of: [/description, /enabled, /name, /customerId]",
			"PATCH", "/apikeys/" + id, patch("replace /value 0123456789")},
		{"BadRequestException", "Invalid patch path  '/name' specified for op 'add'. Please choose supported operations", "PATCH", "/apikeys/" + id, patch("add /name x")},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	h.must(202, "DELETE", "/apikeys/"+id, nil)
	h.fails("NotFoundException", "Invalid API Key identifier specified", "GET", "/apikeys/"+id, nil)
	h.must(201, "POST", "/apikeys", object{"value": "0123456789abcdefghij"}) // the value is free again
}

func TestTagsOfKeysAndPlans(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	key := h.must(201, "POST", "/apikeys", object{"tags": object{"a": "1"}})["id"].(string)
	plan := h.must(201, "POST", "/usageplans", object{"name": "p", "tags": object{"a": "1"}})["id"].(string)
	for _, resource := range []string{"/apikeys/" + key, "/usageplans/" + plan} {
		tags := "/tags/" + url.PathEscape("arn:aws:apigateway:us-east-1::"+resource)
		h.must(204, "PUT", tags, object{"tags": object{"b": "2"}})
		h.must(204, "DELETE", tags+"?tagKeys=a", nil)
		h.same("tags of "+resource, h.must(200, "GET", tags, nil), `{"tags": {"b": "2"}}`)
		if got := h.must(200, "GET", resource, nil)["tags"].(object); got["b"] != "2" || len(got) != 1 {
			t.Errorf("%s shows tags %v", resource, got)
		}
	}
	h.fails("NotFoundException", "Invalid API Key identifier specified", "GET", "/tags/"+url.PathEscape("arn:aws:apigateway:us-east-1::/apikeys/nope"), nil)
}

func TestImportAPIKeys(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	plan := h.must(201, "POST", "/usageplans", object{"name": "p"})["id"].(string)
	file := "Name,key,description,Enabled,usageplanIds\n" +
		"one,apikey1234abcdefghij0123456789,first,TRUE," + plan + "\n" +
		"two,short,,true,\n" +
		"three,apikey1234abcdefghij012345678,,FALSE,\"" + plan + ",nope\"\n" +
		"four,apikey1234abcdefghij01234567,,FALSE,\n"
	out := h.send(201, "POST", "/apikeys?mode=import&format=csv", file)
	h.same("import", out, `{"ids": ["*", "*"], "warnings": ["Row 2: API Key value should be at least 20 characters", "Row 3: Invalid Usage Plan ID specified"]}`)
	first := out["ids"].([]any)[0].(string)
	h.same("imported", h.must(200, "GET", "/apikeys/"+first+"?includeValue=true", nil), `{"id": "*", "name": "one", "description": "first",
		"value": "apikey1234abcdefghij0123456789", "enabled": true, "createdDate": "*", "lastUpdatedDate": "*", "stageKeys": [], "tags": {}}`)
	h.same("subscribed", h.must(200, "GET", "/usageplans/"+plan+"/keys", nil), `{"item": [{"id": "*", "type": "API_KEY", "value": "apikey1234abcdefghij0123456789", "name": "one"}]}`)
	for file, want := range map[string]string{
		"": "Unable to parse the API key file: EOF", "name,description\n": "Required column is missing in the API key file: key",
		"name,key,what\n": "Unknown column in the API key file: what",
	} {
		if got := h.send(400, "POST", "/apikeys?mode=import&format=csv", file)["message"]; got != want {
			t.Errorf("%q: got %v, want %s", file, got, want)
		}
	}
	h.send(400, "POST", "/apikeys?mode=import&format=csv&failonwarnings=true", "name,key\na,apikey1234abcdefghij012345\nb,short\n")
	if got := len(h.must(200, "GET", "/apikeys", nil)["item"].([]any)); got != 2 {
		t.Errorf("%d keys after an import that failed on warnings, want 2", got)
	}
}

package apigateway_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestCloneRestApi: a clone exports as its original does, and has ids of its
// own.
func TestCloneRestApi(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, name := range []string{"guarded.oas30.json", "shop.swagger.yaml"} {
		original := h.deployed(h.document(name))
		id := strings.TrimPrefix(original, "/restapis/")
		title := h.must(200, "GET", original, nil)["name"]
		clone := h.must(201, "POST", "/restapis", object{"name": title, "version": h.must(200, "GET", original, nil)["version"], "cloneFrom": id,
			"apiKeySource": h.must(200, "GET", original, nil)["apiKeySource"]})["id"].(string)
		h.must(201, "POST", "/restapis/"+clone+"/deployments", object{"stageName": "local"})
		export := func(api string) string {
			return strings.ReplaceAll(h.export("/restapis/"+api+"/stages/local/exports/oas30?extensions=apigateway", "").Body.String(), api, "API")
		}
		if got, want := export(clone), export(id); got != want {
			t.Errorf("%s: the clone exports as %s\nwant %s", name, got, want)
		}
		before, after := h.resources(id), h.resources(clone)
		if !slices.Equal(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after))) {
			t.Errorf("%s: the clone has %v", name, after)
		}
		for path := range before {
			if before[path]["id"] == after[path]["id"] {
				t.Errorf("%s: %s has the id of the original", name, path)
			}
		}
	}
	h.fails("BadRequestException", "Invalid REST API identifier specified", "POST", "/restapis", object{"name": "x", "cloneFrom": "nope"})
}

package apigateway_test

import (
	"slices"
	"testing"
)

// child makes a resource and returns its id.
func (h *harness) child(api, parent, part string) string {
	h.t.Helper()
	return h.must(201, "POST", "/restapis/"+api+"/resources/"+parent, object{"pathPart": part})["id"].(string)
}

func (h *harness) paths(api string) []string {
	h.t.Helper()
	var out []string
	for _, item := range h.must(200, "GET", "/restapis/"+api+"/resources?limit=500", nil)["item"].([]any) {
		out = append(out, item.(object)["path"].(string))
	}
	slices.Sort(out)
	return out
}

func (h *harness) wantPaths(api string, want ...string) {
	h.t.Helper()
	if got := h.paths(api); !slices.Equal(got, want) {
		h.t.Errorf("paths %q, want %q", got, want)
	}
}

func TestResourceLifecycle(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, root := h.newAPI()
	base := "/restapis/" + api + "/resources/"
	h.same("root", h.must(200, "GET", base+root, nil), `{"id": "*", "path": "/"}`)
	h.same("create", h.must(201, "POST", base+root, object{"pathPart": "a"}), `{"id": "*", "parentId": "`+root+`", "pathPart": "a", "path": "/a"}`)
	pets := h.child(api, root, "pets")
	sub := h.child(api, pets, "sub")
	if len(pets) != 6 {
		t.Errorf("resource id %s, want 6 characters", pets)
	}
	h.child(api, sub, "{id}")
	h.wantPaths(api, "/", "/a", "/pets", "/pets/sub", "/pets/sub/{id}")
	h.same("rename", h.must(200, "PATCH", base+pets, patch("replace /pathPart dogs")), `{"id": "*", "parentId": "`+root+`", "pathPart": "dogs", "path": "/dogs"}`)
	h.wantPaths(api, "/", "/a", "/dogs", "/dogs/sub", "/dogs/sub/{id}")
	h.must(200, "PATCH", base+sub, patch("replace /parentId "+root))
	h.wantPaths(api, "/", "/a", "/dogs", "/sub", "/sub/{id}")
	h.must(202, "DELETE", base+sub, nil)
	h.wantPaths(api, "/", "/a", "/dogs")
}

func TestResourceRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, root := h.newAPI()
	base := "/restapis/" + api + "/resources/"
	proxy := h.child(api, root, "{proxy+}")
	pets := h.child(api, root, "pets")
	sub := h.child(api, pets, "sub")
	twin := h.child(api, sub, "pets")
	const noResource = "Invalid Resource identifier specified"
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"NotFoundException", noResource, "POST", base + "nope", object{"pathPart": "a"}},
		{"NotFoundException", noResource, "POST", "/restapis/nope/resources/" + root, object{"pathPart": "a"}},
		{"NotFoundException", noResource, "GET", base + "nope", nil},
		{"NotFoundException", noResource, "DELETE", base + "nope", nil},
		{"NotFoundException", noResource, "PATCH", base + "nope", patch("replace /pathPart a")},
		{"NotFoundException", noResource, "PATCH", base + pets, patch("replace /parentId nope")},
		{"NotFoundException", "Invalid API identifier specified 111111111111:nope", "GET", "/restapis/nope/resources", nil},
		{"ConflictException", "Another resource with the same parent already has this name: pets", "POST", base + root, object{"pathPart": "pets"}},
		{"ConflictException", "Another resource with the same parent already has this name: pets", "PATCH", base + twin, patch("replace /parentId " + root)},
		{"BadRequestException", "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed", "POST", base + root, object{"pathPart": "{id}"}},
		{"BadRequestException", "Cannot create a child of a resource with a greedy path variable: {proxy+}", "POST", base + proxy, object{"pathPart": "a"}},
		{"BadRequestException", "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.", "POST", base + root, object{"pathPart": "a{b}"}},
		{"BadRequestException", "Resources cannot be cyclical.", "PATCH", base + pets, patch("replace /parentId " + twin)},
		{"BadRequestException", "Root resource cannot update its pathPart.", "PATCH", base + root, patch("replace /pathPart a")},
		{"BadRequestException", "Root resource cannot update its parentId.", "PATCH", base + root, patch("replace /parentId " + pets)},
		{"BadRequestException", "Invalid patch path  '/invalid' specified for op 'replace'. Must be one of: [/parentId, /pathPart]", "PATCH", base + pets, patch("replace /invalid a")},
		{"BadRequestException", "Invalid patch path  '/pathPart' specified for op 'remove'. Please choose supported operations", "PATCH", base + pets, patch("remove /pathPart")},
		{"BadRequestException", "Invalid patch path  '/pathPart' specified for op 'add'. Please choose supported operations", "PATCH", base + pets, patch("add /pathPart a")},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	h.wantPaths(api, "/", "/pets", "/pets/sub", "/pets/sub/pets", "/{proxy+}")
}

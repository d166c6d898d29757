package terraform

import (
	"strconv"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// checkPlans calls the API that testdata/everything/plans.tf makes.
func checkPlans(t *testing.T, s *harness.Server, tf *harness.Terraform) {
	t.Helper()
	if got := tf.Output("plans_keys"); got != "2" {
		t.Errorf("the data source found %s keys, want 2", got)
	}
	key := tf.Output("plans_key")
	for _, c := range []struct{ name, key, body, want string }{
		{"no key", "", `[]`, `403 {"message":"Forbidden"}`},
		{"no pet", key, `[{"age": 1}]`, `400 {"message":"Invalid request body","why":"[object has missing required properties (["name"])]"}`},
		{"a pet", key, `[{"name": "Ada"}]`, `200 {"key": "`},
	} {
		got := invoke(t, s, tf.Output("plans"), "POST", "/pets", c.body, "Content-Type", "application/json", "X-API-Key", c.key)
		if text := strconv.Itoa(got.status) + " " + got.body; !strings.HasPrefix(text, c.want) {
			t.Errorf("%s: got %s, want %s", c.name, text, c.want)
		}
	}
}

package isolation

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/butai-dev/butai/test/harness"
)

// TestMadeUpKeys lets a function sign with keys that nobody issued: outside of
// sandboxes they act as the account's root.
func TestMadeUpKeys(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func() *harness.Server{
		"root":       func() *harness.Server { return harness.Start(t) },
		"nobody":     func() *harness.Server { return harness.StartAsNobody(t) },
		"restricted": func() *harness.Server { return harness.StartAsNobody(t, "--isolation", "restricted") },
	} {
		t.Run(name, func(t *testing.T) {
			h := hostOn(t, start())
			h.create("keys", "keys.py", 256, 60)
			payload, failed := h.invoke("keys", nil)
			if failed != "" {
				t.Fatal(payload)
			}
			type answer [2]any // status and text
			var got struct {
				MadeUp map[string][]answer `json:"made up"`
				Own    map[string]answer
			}
			if err := json.Unmarshal([]byte(payload), &got); err != nil {
				t.Fatalf("%v: %s", err, payload)
			}
			for service, want := range map[string]string{
				"sts": "InvalidClientTokenId", "iam": "InvalidClientTokenId", "dynamodb": "UnrecognizedClientException",
			} {
				if len(got.MadeUp[service]) != 3 {
					t.Fatal(payload)
				}
				for _, a := range got.MadeUp[service] {
					if a[0].(float64) < 400 || !strings.Contains(a[1].(string), want) {
						t.Errorf("%s with a made-up key: %v, want %s", service, a, want)
					}
				}
			}
			if text := got.Own["sts"][1].(string); !strings.Contains(text, "assumed-role/exec/keys") {
				t.Errorf("the function's own keys: %s", text)
			}
			if text := got.Own["iam"][1].(string); !strings.Contains(text, "AccessDenied") || !strings.Contains(text, "assumed-role/exec/keys") {
				t.Errorf("what the function's role may not do: %s", text)
			}
			time.Sleep(300 * time.Millisecond) // for requests whose client didn't wait
			users, err := iam.NewFromConfig(configOf(h.server)).ListUsers(t.Context(), &iam.ListUsersInput{})
			if err != nil {
				t.Fatal("the test's own made-up key is refused: ", err)
			}
			for _, u := range users.Users {
				t.Errorf("the function has created user %s", aws.ToString(u.UserName))
			}
		})
	}
}

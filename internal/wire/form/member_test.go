package form_test

import (
	"net/url"
	"testing"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/wire/form"
)

// TestMemberNames: a list is read by the name that the query protocol gives it
// and by its member's own, as messages with attributes were recorded.
func TestMemberNames(t *testing.T) {
	t.Parallel()
	op := sqsapi.Service.Operation("SendMessage")
	for _, name := range []string{"MessageAttribute", "MessageAttributes"} {
		in := op.NewInput()
		values := url.Values{name + ".1.Name": {"user-agent"}, name + ".1.Value.DataType": {"String"}, name + ".1.Value.StringValue": {"BAR-Header"}}
		if err := form.Decode(sqsapi.Service.Schema, op.Input, values, in); err != nil {
			t.Fatal(err)
		}
		got := in.(*sqsapi.SendMessageRequest).MessageAttributes["user-agent"]
		if got.StringValue == nil || *got.StringValue != "BAR-Header" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

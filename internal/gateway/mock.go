package gateway

import (
	"strconv"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// callMock plays an integration that answers with the statusCode its request
// names. The request is read leniently (recorded: unquoted keys, single
// quotes and trailing commas pass), but the status must be an integer.
func (x *exchange) callMock() *failure {
	x.inbound.called = true
	if n, ok := value.Member(x.outbound.body, "statusCode").(int64); ok {
		x.inbound.status = int(n)
		x.inbound.selector = strconv.FormatInt(n, 10)
		return nil
	}
	return configurationError("Unable to parse statusCode. It should be an integer that is defined in the request template.")
}

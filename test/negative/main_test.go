package negative

import (
	"os"
	"testing"

	"github.com/butai-dev/butai/internal/function/sandbox"
)

// TestMain lets the servers of these tests start sandboxes, which are this
// program again.
func TestMain(m *testing.M) {
	sandbox.MaybeInit()
	os.Exit(m.Run())
}

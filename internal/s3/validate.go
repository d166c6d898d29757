package s3

import (
	"net/http"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
)

// saidOtherwise are the shapes whose values S3 names itself if it doesn't know
// them (notification.go).
var saidOtherwise = []string{"Event", "FilterRuleName"}

// ValidateInput says of what the model rules out in a document that it is
// malformed, as S3 does, and of the rest which parameter is wrong.
func (*Service) ValidateInput(op *wire.Operation, in any) error {
	found := s3api.Service.Schema.Validate(op.Input, in, func(shape *wire.Shape) bool { return slices.Contains(saidOtherwise, shape.Name) })
	switch {
	case len(found) == 0:
		return nil
	case slices.ContainsFunc(found, func(v wire.Violation) bool { return strings.Contains(v.Path, ".") }):
		return malformedXML()
	}
	return failure(http.StatusBadRequest, "InvalidArgument", wire.ViolationText(found))
}

package awsquery

import (
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/xmlbody"
)

// EC2 is EC2's dialect of the protocol, whose errors have a form of their own.
type EC2 struct{ Protocol }

// EncodeError writes an error as EC2 does.
func (EC2) EncodeError(_ *wire.ServiceModel, err error, requestID string) *wire.Response {
	code, status, _, message := wire.ErrorFacts(err)
	var w xmlbody.Writer
	w.Open("Response")
	w.Open("Errors")
	w.Open("Error")
	w.Leaf("Code", code)
	w.Leaf("Message", message)
	w.Close("Error")
	w.Close("Errors")
	w.Leaf("RequestID", requestID)
	w.Close("Response")
	return response(status, &w, requestID)
}

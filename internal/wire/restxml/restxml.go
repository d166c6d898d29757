// Package restxml speaks AWS's REST-XML protocol (Route 53, S3).
package restxml

import (
	"net/http"

	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/rest"
	"github.com/butai-dev/butai/internal/wire/xmlbody"
)

// Protocol implements wire.Protocol.
type Protocol struct {
	Namespace string // of answers
	// S3 selects S3's error document, request id header and result root
	// names; the others wrap errors in ErrorResponse.
	S3 bool
}

var _ wire.Protocol = Protocol{}

// Identify finds the operation by method, path and literal query.
func (Protocol) Identify(m *wire.ServiceModel, r *wire.Request, built func(*wire.Operation) bool) (*wire.Operation, *wire.Error) {
	return rest.Identify(m, r, built)
}

// Decode reads labels, headers, query and body.
func (Protocol) Decode(m *wire.ServiceModel, op *wire.Operation, r *wire.Request, in any) error {
	if err := rest.DecodeBindings(m.Schema, op, r, in); err != nil {
		return err
	}
	shape := m.Schema.Shape(op.Input)
	if shape.Payload >= 0 {
		if rest.SetPayload(m.Schema, op.Input, r.Body, in) || len(r.Body) == 0 {
			return nil
		}
		return xmlbody.DecodeMember(m.Schema, op.Input, r.Body, in, shape.Payload)
	}
	if len(r.Body) == 0 || op.InputRoot == "" {
		return nil
	}
	return xmlbody.Decode(m.Schema, op.Input, r.Body, in)
}

// Encode writes the status, headers and body of a successful answer.
func (p Protocol) Encode(m *wire.ServiceModel, op *wire.Operation, out any, requestID string) (*wire.Response, error) {
	res := &wire.Response{Status: op.Status, Header: p.ids(requestID)}
	if out == nil {
		return res, nil
	}
	res.Status = rest.EncodeBindings(m.Schema, op.Output, out, res.Status, res.Header)
	if _, partial := res.Header["Content-Range"]; partial && p.S3 {
		res.Status = http.StatusPartialContent // the model has no member for it
	}
	shape := m.Schema.Shape(op.Output)
	w := xmlbody.Writer{Millis: p.S3}
	if shape.Payload >= 0 {
		raw, structured, _ := rest.Payload(m.Schema, op.Output, out)
		if !structured {
			res.Body = raw
			return res, nil
		}
		xmlbody.Member(&w, m.Schema, op.Output, out, shape.Payload, p.xmlns()...)
	} else if p.S3 && op.Name == "GetBucketLocation" {
		// The one answer of S3 whose root element is its only member.
		xmlbody.Member(&w, m.Schema, op.Output, out, 0, p.xmlns()...)
	} else if rest.HasBody(shape) {
		root := p.root(op, shape)
		w.Open(root, p.xmlns()...)
		xmlbody.Members(&w, m.Schema, op.Output, out)
		w.Close(root)
	}
	if w.Len() > 0 {
		p.finish(res, &w)
	}
	return res, nil
}

// s3Roots are the result elements of S3 that are named neither after the
// output shape nor after the operation (Amazon S3 API Reference).
var s3Roots = map[string]string{
	"ListBuckets":                        "ListAllMyBucketsResult",
	"ListObjects":                        "ListBucketResult",
	"ListObjectsV2":                      "ListBucketResult",
	"ListObjectVersions":                 "ListVersionsResult",
	"ListMultipartUploads":               "ListMultipartUploadsResult",
	"ListParts":                          "ListPartsResult",
	"CreateMultipartUpload":              "InitiateMultipartUploadResult",
	"CompleteMultipartUpload":            "CompleteMultipartUploadResult",
	"DeleteObjects":                      "DeleteResult",
	"GetBucketVersioning":                "VersioningConfiguration",
	"GetBucketTagging":                   "Tagging",
	"GetObjectTagging":                   "Tagging",
	"GetBucketAcl":                       "AccessControlPolicy",
	"GetObjectAcl":                       "AccessControlPolicy",
	"GetBucketCors":                      "CORSConfiguration",
	"GetBucketWebsite":                   "WebsiteConfiguration",
	"GetBucketLogging":                   "BucketLoggingStatus",
	"GetBucketRequestPayment":            "RequestPaymentConfiguration",
	"GetBucketLifecycleConfiguration":    "LifecycleConfiguration",
	"GetBucketAccelerateConfiguration":   "AccelerateConfiguration",
	"GetBucketNotificationConfiguration": "NotificationConfiguration",
}

func (p Protocol) root(op *wire.Operation, shape *wire.Shape) string {
	if name, ok := s3Roots[op.Name]; ok && p.S3 {
		return name
	}
	return shape.Name
}

// ids are the headers by which AWS knows an answer again: S3 has two.
func (p Protocol) ids(requestID string) http.Header {
	if p.S3 {
		return http.Header{"x-amz-request-id": {requestID}, "x-amz-id-2": {wire.HostID(requestID)}}
	}
	return http.Header{"x-amzn-RequestId": {requestID}}
}

func (p Protocol) xmlns() []string {
	if p.Namespace == "" {
		return nil
	}
	return []string{"xmlns", p.Namespace}
}

const declaration = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

func (p Protocol) finish(res *wire.Response, w *xmlbody.Writer) {
	res.Body = append([]byte(declaration), w.Bytes()...)
	contentType := "text/xml"
	if p.S3 {
		contentType = "application/xml"
	}
	res.Header["Content-Type"] = []string{contentType}
}

// EncodeError writes S3's bare Error document or the ErrorResponse of the
// other REST-XML services.
func (p Protocol) EncodeError(m *wire.ServiceModel, err error, requestID string) *wire.Response {
	code, status, fault, message := wire.ErrorFacts(err)
	res := &wire.Response{Status: status, Header: p.ids(requestID)}
	var w xmlbody.Writer
	if p.S3 {
		w.Open("Error")
		w.Leaf("Code", code)
		w.Leaf("Message", message)
		for about, ok := err.(*wire.About); ok; about, ok = err.(*wire.About) {
			w.Leaf(about.Member, about.Value)
			err = about.Err
		}
		errorMembers(&w, err)
		w.Leaf("RequestId", requestID)
		w.Leaf("HostId", wire.HostID(requestID))
		w.Close("Error")
		p.finish(res, &w)
		return res
	}
	side := "Sender"
	if fault {
		side = "Receiver"
	}
	w.Open("ErrorResponse", p.xmlns()...)
	w.Open("Error")
	w.Leaf("Type", side)
	w.Leaf("Code", code)
	w.Leaf("Message", message)
	errorMembers(&w, err)
	w.Close("Error")
	w.Leaf("RequestId", requestID)
	w.Close("ErrorResponse")
	p.finish(res, &w)
	return res
}

func errorMembers(w *xmlbody.Writer, err error) {
	if modelled, ok := err.(wire.ModelledError); ok {
		schema, id := modelled.ErrorShape()
		xmlbody.ErrorMembers(w, schema, id, modelled)
	}
}

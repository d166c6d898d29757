package functionurl

import (
	"bytes"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/function"
)

// httpStream is the media type of a streamed response that begins with its
// status and headers: JSON, and then preludeEnd.
const httpStream = "application/vnd.awslambda.http-integration-response"

var preludeEnd = make([]byte, 8)

// stream writes a streamed response to the client as it comes.
type stream struct {
	*exchange
	control *http.ResponseController
	prelude bool   // status and headers are still to come
	head    []byte // what has come of them
	started bool   // the answer has begun
}

var _ function.ResponseStream = (*stream)(nil)

// Begin implements function.ResponseStream.
func (s *stream) Begin(mediaType string) {
	if s.prelude = mediaType == httpStream; s.prelude {
		return
	}
	s.w.Header().Set("Content-Type", mediaType)
	s.begin(http.StatusOK)
}

func (s *stream) begin(status int) {
	s.started = true
	s.url.CORS.decorate(s.w.Header(), s.r)
	s.w.WriteHeader(status)
}

// Write implements function.ResponseStream.
func (s *stream) Write(p []byte) (int, error) {
	n := len(p)
	if s.prelude {
		s.head = append(s.head, p...)
		head, rest, whole := bytes.Cut(s.head, preludeEnd)
		if !whole {
			return n, nil
		}
		s.prelude, s.head = false, nil
		s.beginWith(head)
		p = rest
	}
	if len(p) == 0 {
		return n, nil
	}
	if _, err := s.w.Write(p); err != nil {
		return 0, err
	}
	return n, s.control.Flush()
}

// beginWith begins the answer with the prelude's status and headers.
func (s *stream) beginWith(prelude []byte) {
	var r response
	if err := json.Unmarshal(prelude, &r, jsontext.AllowDuplicateNames(true)); err != nil {
		s.begin(http.StatusBadGateway)
		return
	}
	if r.Status == nil {
		ok := jsontext.Value("200")
		r.Status = &ok
	}
	status, ok := s.exchange.head(&r)
	if !ok {
		status = http.StatusBadGateway
	}
	if s.w.Header().Get("Content-Type") == "" {
		s.w.Header().Set("Content-Type", "application/octet-stream")
	}
	s.begin(status)
}

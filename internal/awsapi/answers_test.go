package awsapi

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/wire"
)

// answer is one encoded answer and what a client must understand of it.
type answer struct {
	anonymous bool   // the client can't tell the request id
	Service   string `json:"service"`
	Operation string `json:"operation"`
	Status    int    `json:"status"`
	Body      []byte `json:"body"`

	Headers map[string]string `json:"headers"`

	code, message string // of an error
	want          map[string]any
	shape         *wire.Shape
}

func newAnswer(model *wire.ServiceModel, op *wire.Operation, res *wire.Response) answer {
	a := answer{Service: model.Name, Operation: op.Name, Status: res.Status, Body: res.Body, Headers: map[string]string{}}
	for k := range res.Header {
		a.Headers[k] = res.Header[k][0]
	}
	return a
}

const testRequestID = "6f2f2b5a-0000-4000-8000-000000000001"

// TestAnswersToBotocore encodes answers of every operation and every error
// that it declares, and has AWS's own Python client read them.
func TestAnswersToBotocore(t *testing.T) {
	t.Parallel()
	for name, model := range models {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := makeAnswers(t, model)
			var input bytes.Buffer
			for _, a := range answers {
				line, err := json.Marshal(a)
				if err != nil {
					t.Fatal(err)
				}
				input.Write(append(line, '\n'))
			}
			lines := peer(t, input.Bytes(), "parse")
			if len(lines) != len(answers) {
				t.Fatalf("%d of %d answers were read", len(lines), len(answers))
			}
			for i, line := range lines {
				checkAnswer(t, &answers[i], line)
			}
		})
	}
}

func checkAnswer(t *testing.T, a *answer, line []byte) {
	t.Helper()
	var read struct {
		Code, Message, RequestID, Failure string
		Value                             map[string]any
	}
	if err := json.Unmarshal(line, &read); err != nil {
		t.Fatal(err)
	}
	if a.code != "" { // compared apart
		delete(read.Value, "message")
		delete(read.Value, "Message")
	}
	switch {
	case read.Failure != "":
		t.Errorf("%s %s: client fails: %s\n%v\n%.2000s", a.Operation, a.code, read.Failure, a.Headers, a.Body)
	case read.Code != a.code || read.Message != a.message:
		t.Errorf("%s: client reads error %q %q, want %q %q\n%s", a.Operation, read.Code, read.Message, a.code, a.message, a.Body)
	case read.RequestID != testRequestID && !a.anonymous:
		t.Errorf("%s: client reads request id %q", a.Operation, read.RequestID)
	default:
		dropUnspoken(a.shape, read.Value, a.want)
		if diff := difference("", read.Value, a.want); diff != "" {
			t.Errorf("%s %s: %s\n%v\n%.2000s", a.Operation, a.code, diff, a.Headers, a.Body)
		}
	}
}

// unreadable are answers that botocore's parser alone doesn't read: the first
// it fixes up afterwards, the second names two members alike. An error of the
// third has a member beside its message, as no operation's that is built.
var unreadable = map[string]bool{"GetBucketLocation": true, "GetBucketNotification": true, "VerifySMSSandboxPhoneNumber": true}

func makeAnswers(t *testing.T, model *wire.ServiceModel) []answer {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(len(model.Operations))))
	var out []answer
	for i := range model.Operations {
		op := &model.Operations[i]
		if unreadable[op.Name] {
			continue
		}
		for _, density := range []float64{1, 0, 0.5} {
			a, ok := makeOutput(t, model, op, &maker{rng: rng, schema: model.Schema, density: density})
			if ok {
				out = append(out, a)
			}
		}
		for _, id := range op.Errors {
			out = append(out, makeError(t, model, op, id, &maker{rng: rng, schema: model.Schema, density: 1}))
		}
		plain := &wire.Error{Code: "NotInAnyModel", Status: 400, Message: "Rate <exceeded> & \"more\""}
		a := newAnswer(model, op, profiles[model.Name].protocol.EncodeError(model, plain, testRequestID))
		a.code, a.message, a.want = plain.Code, plain.Message, map[string]any{}
		a.shape = &wire.Shape{Payload: -1}
		out = append(out, a)
	}
	return out
}

// makeOutput reports false for operations without output or with a stream of
// events, which no protocol room writes.
func makeOutput(t *testing.T, model *wire.ServiceModel, op *wire.Operation, m *maker) (answer, bool) {
	t.Helper()
	var out any
	want := map[string]any{}
	if op.Output >= 0 {
		if streams(model.Schema, op.Output) {
			return answer{}, false
		}
		v := reflect.New(m.goType(op.Output, 0))
		m.fill(op.Output, v.Elem(), 0, wire.InBody)
		out = v.Interface()
		want = roundTrip(t, normal(t, model.Schema, op.Output, v)).(map[string]any)
	}
	res, err := profiles[model.Name].protocol.Encode(model, op, out, testRequestID)
	if err != nil {
		t.Fatalf("%s: %v", op.Name, err)
	}
	a := newAnswer(model, op, res)
	a.want, a.shape = want, &wire.Shape{Payload: -1}
	a.anonymous = op.Output < 0 && model.Protocol == "smithy-rpc-v2-cbor" // botocore reads no request id there
	if op.Output >= 0 {
		a.shape = model.Schema.Shape(op.Output)
	}
	return a, true
}

func streams(s *wire.Schema, id wire.ShapeID) bool {
	for _, m := range s.Shape(id).Members {
		if s.Shape(m.Shape).EventStream {
			return true
		}
	}
	return false
}

func makeError(t *testing.T, model *wire.ServiceModel, op *wire.Operation, id wire.ShapeID, m *maker) answer {
	t.Helper()
	err := newError(model.Schema, id)
	m.fill(id, reflect.ValueOf(err).Elem(), 0, wire.InBody)
	a := newAnswer(model, op, profiles[model.Name].protocol.EncodeError(model, err, testRequestID))
	a.code, _, _, a.message = wire.ErrorFacts(err)
	if older, ok := queueErrors[a.code]; ok && model.Name == "sqs" {
		a.code = older
	}
	a.shape = model.Schema.Shape(id)
	a.want = roundTrip(t, normal(t, model.Schema, id, reflect.ValueOf(err))).(map[string]any)
	delete(a.want, "message")
	delete(a.want, "Message")
	return a
}

// newError returns a new error of the shape. Most have no more than a message,
// or Lambda's type and message; one Go type stands for all of these.
func newError(s *wire.Schema, id wire.ShapeID) wire.ModelledError {
	shape := s.Shape(id)
	for _, e := range richErrors() {
		if schema, other := e.ErrorShape(); schema == s && other == id {
			return e
		}
	}
	facts := errorFacts{schema: s, id: id}
	if len(shape.Members) == 2 {
		return &typedError{errorFacts: facts}
	}
	return &messageError{errorFacts: facts}
}

type errorFacts struct {
	schema *wire.Schema
	id     wire.ShapeID
}

func (errorFacts) Error() string                              { return "" }
func (e errorFacts) ErrorShape() (*wire.Schema, wire.ShapeID) { return e.schema, e.id }

type messageError struct {
	Message *string
	errorFacts
}

type typedError struct {
	Type, Message *string
	errorFacts
}

// richErrors are the errors that say more than a message.
func richErrors() []wire.ModelledError {
	return []wire.ModelledError{
		&acmapi.ThrottlingException{}, &apigatewayapi.LimitExceededException{}, &apigatewayapi.ServiceUnavailableException{},
		&apigatewayapi.TooManyRequestsException{}, &apigatewayv2api.NotFoundException{}, &apigatewayv2api.TooManyRequestsException{},
		&cloudwatchapi.DashboardInvalidInputError{}, &cloudwatchapi.ResourceNotFoundException{},
		&dynamodbapi.ConditionalCheckFailedException{},
		&dynamodbapi.ProvisionedThroughputExceededException{}, &dynamodbapi.RequestLimitExceeded{},
		&dynamodbapi.ThrottlingException{}, &dynamodbapi.TransactionCanceledException{},
		&ecrapi.InvalidLayerPartException{}, &ecrapi.KmsException{},
		&logsapi.DataAlreadyAcceptedException{}, &logsapi.InvalidSequenceTokenException{}, &logsapi.MalformedQueryException{},
		&logsapi.TooManyTagsException{}, &route53api.InvalidChangeBatch{}, &lambdaapi.EC2UnexpectedException{},
		&lambdaapi.TooManyRequestsException{}, &s3api.InvalidObjectState{},
	}
}

// maker makes Go values by walking a shape.
type maker struct {
	rng     *rand.Rand
	schema  *wire.Schema
	density float64 // of optional members
}

const maxDepth = 6

var scalarTypes = map[wire.Kind]reflect.Type{
	wire.String: reflect.TypeFor[string](), wire.Integer: reflect.TypeFor[int64](), wire.Long: reflect.TypeFor[int64](),
	wire.Float: reflect.TypeFor[float64](), wire.Double: reflect.TypeFor[float64](), wire.Boolean: reflect.TypeFor[bool](),
	wire.Timestamp: reflect.TypeFor[time.Time](), wire.Blob: reflect.TypeFor[[]byte](), wire.External: reflect.TypeFor[attr.Value](),
}

// goType is a Go type like the generated one of the shape, cut off where a
// shape that contains itself gets too deep.
func (m *maker) goType(id wire.ShapeID, depth int) reflect.Type {
	shape := m.schema.Shape(id)
	switch shape.Kind {
	case wire.Structure:
		var fields []reflect.StructField
		for _, member := range shape.Members {
			ft := reflect.TypeFor[*struct{}]()
			if depth < maxDepth {
				ft = m.goType(member.Shape, depth+1)
				if ft.Kind() != reflect.Slice && ft.Kind() != reflect.Map {
					ft = reflect.PointerTo(ft)
				}
			}
			fields = append(fields, reflect.StructField{Name: member.Field, Type: ft})
		}
		return reflect.StructOf(fields)
	case wire.List:
		return reflect.SliceOf(m.goType(shape.Element.Shape, depth+1))
	case wire.Map:
		return reflect.MapOf(reflect.TypeFor[string](), m.goType(shape.Value.Shape, depth+1))
	}
	return scalarTypes[shape.Kind]
}

// unions are structures with exactly one member, which the tables don't mark.
var unions = map[string]bool{"GeneralName": true}

func (m *maker) fill(id wire.ShapeID, rv reflect.Value, depth int, at wire.Location) {
	shape := m.schema.Shape(id)
	switch shape.Kind {
	case wire.Structure:
		for i := range shape.Members {
			member, field := &shape.Members[i], rv.Field(i)
			if unions[shape.Name] && i > 0 {
				break
			}
			if depth >= maxDepth || !member.Required && member.Location != wire.InStatus && m.rng.Float64() >= m.density {
				continue
			}
			if field.Kind() == reflect.Pointer {
				field.Set(reflect.New(field.Type().Elem()))
				field = field.Elem()
			}
			m.fill(member.Shape, field, depth+1, member.Location)
		}
	case wire.List:
		rv.Set(reflect.MakeSlice(rv.Type(), 2, 2))
		for i := range rv.Len() {
			m.fill(shape.Element.Shape, rv.Index(i), depth+1, at)
		}
	case wire.Map:
		rv.Set(reflect.MakeMap(rv.Type()))
		for _, name := range m.keys(m.schema.Shape(shape.Key.Shape), at) {
			value := reflect.New(rv.Type().Elem()).Elem()
			m.fill(shape.Value.Shape, value, depth+1, at)
			rv.SetMapIndex(reflect.ValueOf(name), value)
		}
	default:
		m.scalar(shape, rv, at)
	}
}

func (m *maker) keys(shape *wire.Shape, at wire.Location) []string {
	switch {
	case len(shape.Enum) > 1:
		return shape.Enum[:2]
	case at != wire.InBody:
		return []string{"key-1", "key-2"}
	}
	return []string{"a b", "Schlüssel/<&>"}
}

func (m *maker) scalar(shape *wire.Shape, rv reflect.Value, at wire.Location) {
	switch shape.Kind {
	case wire.String:
		rv.SetString(m.text(shape, at))
	case wire.Integer, wire.Long:
		rv.SetInt([]int64{0, 1, -7, 2147483647}[m.rng.IntN(4)])
		if at == wire.InStatus {
			rv.SetInt(202)
		}
	case wire.Float, wire.Double:
		rv.SetFloat([]float64{0.5, 3, 1234567.125}[m.rng.IntN(3)])
	case wire.Boolean:
		rv.SetBool(m.rng.IntN(2) == 0)
	case wire.Timestamp:
		ms := int64(250)
		if at != wire.InBody {
			ms = 0
		}
		rv.Set(reflect.ValueOf(time.UnixMilli(1_700_000_000_000 + ms).UTC()))
	case wire.Blob:
		rv.SetBytes([]byte{0, 1, 0xff, 'x'})
	case wire.External:
		rv.Set(reflect.ValueOf(attr.String("text <&>")))
	}
}

func (m *maker) text(shape *wire.Shape, at wire.Location) string {
	switch {
	case len(shape.Enum) > 0:
		return shape.Enum[m.rng.IntN(len(shape.Enum))]
	case shape.Name == "Expires":
		return "Tue, 14 Nov 2023 22:13:20 GMT"
	case at != wire.InBody:
		return "plain-value"
	}
	texts := []string{"plain", "a <b> & \"c\" 'd'", "Grüße 世界 𝄞", " blanks ", "line\nbreak\ttab", strings.Repeat("x", 300)}
	return texts[m.rng.IntN(len(texts))]
}

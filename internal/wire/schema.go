// Package wire holds what every AWS API is made of: schemas, operation
// tables, modelled errors, the caller of a request, and validation from a
// model's constraints. The generated packages below internal/api are tables
// over it, and the protocol rooms below it turn them into bytes.
package wire

// Kind is the type of a shape.
type Kind uint8

// The kinds of the AWS API models.
const (
	Structure Kind = iota
	List
	Map
	String
	Integer
	Long
	Float
	Double
	Boolean
	Blob
	Timestamp
	// External shapes have a hand-written Go type with its own JSON codec
	// (json.UnmarshalerFrom and json.MarshalerTo of go-json-experiment).
	External
)

// Location says where a member travels in an HTTP message.
type Location uint8

// The locations of the REST protocols; InBody is the default.
const (
	InBody Location = iota
	InHeader
	InHeaders // all headers with a prefix, as a map
	InURI
	InQuery
	InStatus
)

// ShapeID is a shape's position in its Schema, or -1 for none.
type ShapeID int32

// Schema is the table of a service's shapes.
type Schema struct {
	Service string
	Shapes  []Shape
}

// Shape returns the shape with the given id.
func (s *Schema) Shape(id ShapeID) *Shape { return &s.Shapes[id] }

// Shape is one type of a model. The Go type of a structure has one field per
// member, in the same order.
type Shape struct {
	Name            string
	Kind            Kind
	Members         []Member
	Payload         int // member that is the whole body, or -1; structures only
	Element         Ref // of a list
	Key, Value      Ref // of a map
	Flattened       bool
	Min, Max        Limit // length of strings, blobs and collections; value of numbers
	Pattern         string
	Enum            []string
	TimestampFormat string
	EventStream     bool
	Error           *ErrorTrait
}

// Limit is an inclusive bound that may be absent.
type Limit struct {
	Set   bool
	Value float64
}

// Bound returns a Limit that is set.
func Bound(v float64) Limit { return Limit{Set: true, Value: v} }

// Ref is a use of a shape, with how it is written there.
type Ref struct {
	Shape           ShapeID
	Wire            string // name on the wire
	QueryName       string
	Location        Location
	Flattened       bool
	Streaming       bool
	XMLAttribute    bool
	JSONValue       bool // base64 of JSON in a header
	EmptyIsNull     bool // empty texts of the map are written as null
	XMLNamespace    string
	TimestampFormat string
}

// Member is one member of a structure.
type Member struct {
	Name     string // as in the model
	Field    string // name of the Go field
	Required bool
	Token    bool // idempotency token: clients fill it in when absent
	Ref
}

// ErrorTrait says how an error structure is reported.
type ErrorTrait struct {
	Code   string
	Status int
	Fault  bool // the server's fault, not the caller's
}

// Enum returns the values of the enumeration of the given name, or nil.
func (s *Schema) Enum(name string) []string {
	for i := range s.Shapes {
		if s.Shapes[i].Name == name {
			return s.Shapes[i].Enum
		}
	}
	return nil
}

// ID returns the id of the shape of the given name, or -1.
func (s *Schema) ID(name string) ShapeID {
	for i := range s.Shapes {
		if s.Shapes[i].Name == name {
			return ShapeID(i)
		}
	}
	return -1
}

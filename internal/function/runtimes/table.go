// Package runtimes knows AWS Lambda's runtime identifiers and finds, on this
// host, the interpreters that can stand in for them. Nothing is looked for
// before it is asked for, so that a server starts at once.
package runtimes

// Family groups runtimes that are launched alike.
type Family string

// The families.
const (
	Python   Family = "python"
	Node     Family = "node"
	Java     Family = "java"
	Provided Family = "provided"
)

// Runtime is one of AWS's runtime identifiers ("Lambda runtimes" in the
// developer guide, with the deprecated ones that old articles still use).
type Runtime struct {
	ID      string
	Family  Family
	Version string // what the interpreter must be: major.minor or major
}

// table lists what butai runs; a new runtime is a new row.
var table = []Runtime{
	{"python2.7", Python, "2.7"},
	{"python3.8", Python, "3.8"},
	{"python3.9", Python, "3.9"},
	{"python3.10", Python, "3.10"},
	{"python3.11", Python, "3.11"},
	{"python3.12", Python, "3.12"},
	{"python3.13", Python, "3.13"},
	{"python3.14", Python, "3.14"},
	{"nodejs18.x", Node, "18"},
	{"nodejs20.x", Node, "20"},
	{"nodejs22.x", Node, "22"},
	{"nodejs24.x", Node, "24"},
	{"java17", Java, "17"},
	{"java21", Java, "21"},
	{"provided.al2", Provided, ""},
	{"provided.al2023", Provided, ""},
}

// Known returns the runtimes that butai can run, given an interpreter.
func Known() []Runtime { return append([]Runtime(nil), table...) }

// ByID returns the runtime with the given identifier.
func ByID(id string) (Runtime, bool) {
	for _, r := range table {
		if r.ID == id {
			return r, true
		}
	}
	return Runtime{}, false
}

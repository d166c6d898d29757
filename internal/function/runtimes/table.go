// Package runtimes knows AWS Lambda's runtime identifiers and finds, on this
// host, the interpreters that can stand in for them. Nothing is looked for
// before it is asked for, so that a server starts at once.
package runtimes

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// Family groups runtimes that are launched alike.
type Family string

// The families.
const (
	Python   Family = "python"
	Node     Family = "node"
	Java     Family = "java"
	Ruby     Family = "ruby"
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
	{"nodejs16.x", Node, "16"},
	{"nodejs18.x", Node, "18"},
	{"nodejs20.x", Node, "20"},
	{"nodejs22.x", Node, "22"},
	{"nodejs24.x", Node, "24"},
	{"java8.al2", Java, "8"},
	{"java11", Java, "11"},
	{"java17", Java, "17"},
	{"java21", Java, "21"},
	{"java25", Java, "25"},
	{"ruby3.2", Ruby, "3.2"},
	{"ruby3.3", Ruby, "3.3"},
	{"ruby3.4", Ruby, "3.4"},
	{"provided.al2", Provided, ""},
	{"provided.al2023", Provided, ""},
}

// ByID returns the runtime with the given identifier.
func ByID(id string) (Runtime, bool) {
	for _, r := range table {
		if r.ID == id {
			return r, true
		}
	}
	return Runtime{}, false
}

// VersionARN returns the ARN of the runtime version that butai reports for a
// runtime. AWS's end in a digest of the image; ours is a digest of the name,
// which is as stable.
func VersionARN(region, id string) string {
	return fmt.Sprintf("arn:aws:lambda:%s::runtime:%x", region, sha256.Sum256([]byte(id)))
}

// RuntimeVersion returns the version in AWS's notation, such as
// python:3.11.v7; the number after v is the interpreter's patch release.
func (i *Interpreter) RuntimeVersion() string {
	name, version := string(i.Runtime.Family), i.Runtime.Version
	switch i.Runtime.Family {
	case Node:
		name = "nodejs"
	case Provided:
		_, version, _ = strings.Cut(i.Runtime.ID, ".")
	}
	patch := 1
	if n := numbers(i.Version); len(n) > 2 {
		patch = n[2]
	}
	return fmt.Sprintf("%s:%s.v%d", name, version, patch)
}

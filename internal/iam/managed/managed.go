// Package managed holds the policies that AWS itself manages, such as
// arn:aws:iam::aws:policy/AdministratorAccess: names, dates and documents as
// IAM serves them. The iam service lists and attaches them; nobody can change
// them.
//
// The data is embedded compressed and unpacked a block at a time, so that a
// server that never attaches one does not carry them in memory.
package managed

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	_ "embed" // for policies.zip
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:generate python3 extract.py

//go:embed policies.zip
var archive []byte

// blockSize is the number of documents in one file of the archive; extract.py
// uses the same figure.
const blockSize = 32

const arnPrefix = "arn:aws:iam::aws:policy"

// Policy describes one AWS-managed policy.
type Policy struct {
	Name string
	// Path begins and ends with a slash: "/", "/service-role/" …
	Path string
	// ARN is arn:aws:iam::aws:policy followed by Path and Name.
	ARN string
	// ID is AWS's PolicyId for the policies people use most. For the others,
	// whose ids are not in the data, it is derived from the ARN, so it is at
	// least unique and always the same.
	ID string
	// VersionID is the default version, such as "v4". Only that one is kept.
	VersionID  string
	CreateDate time.Time
	UpdateDate time.Time
	position   int
}

// Document returns the default version's policy document as compact JSON.
func (p Policy) Document() string {
	var docs []json.RawMessage
	read(fmt.Sprintf("%02d.json", p.position/blockSize), &docs)
	return string(docs[p.position%blockSize])
}

// Lookup finds a policy by ARN.
func Lookup(arn string) (Policy, bool) {
	rest, ok := strings.CutPrefix(arn, arnPrefix)
	if !ok {
		return Policy{}, false
	}
	name := rest[strings.LastIndexByte(rest, '/')+1:]
	policies := index()
	i, found := slices.BinarySearchFunc(policies, name, func(p Policy, name string) int {
		return strings.Compare(p.Name, name)
	})
	if !found || policies[i].ARN != arn {
		return Policy{}, false
	}
	return policies[i], true
}

// All returns every policy in order of name. The caller owns the slice.
func All() []Policy { return slices.Clone(index()) }

// index is unpacked on first use and kept: about 300 KB.
var index = sync.OnceValue(func() []Policy {
	var rows [][5]string
	read("index.json", &rows)
	out := make([]Policy, len(rows))
	for i, row := range rows {
		arn := arnPrefix + row[1] + row[0]
		out[i] = Policy{
			Name: row[0], Path: row[1], ARN: arn, ID: policyID(row[0], arn), VersionID: row[2],
			CreateDate: date(row[3]), UpdateDate: date(row[4]), position: i,
		}
	}
	return out
})

// read unpacks one file of the archive. The archive is part of the program,
// so anything wrong with it is a broken build and the tests catch it.
func read(name string, into any) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		panic("managed: " + err.Error())
	}
	f, err := r.Open(name)
	if err != nil {
		panic("managed: " + err.Error())
	}
	defer f.Close()
	if err := json.NewDecoder(f).Decode(into); err != nil {
		panic("managed: " + name + ": " + err.Error())
	}
}

func date(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic("managed: " + err.Error())
	}
	return t
}

// policyID returns the known id, or one in the same form made from the ARN.
func policyID(name, arn string) string {
	if id, ok := knownIDs[name]; ok {
		return id
	}
	sum := sha256.Sum256([]byte(arn))
	return "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

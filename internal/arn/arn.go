// Package arn parses and prints Amazon Resource Names:
// arn:partition:service:region:account:resource.
package arn

import (
	"errors"
	"strings"
)

// ARN holds the six parts of an Amazon Resource Name. Region and Account may
// be empty; Resource holds everything behind the fifth colon.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ErrMalformed is returned by Parse for text that is not an ARN.
var ErrMalformed = errors.New("arn: not an ARN")

// New returns an ARN in the "aws" partition.
func New(service, region, account, resource string) ARN {
	return ARN{Partition: "aws", Service: service, Region: region, Account: account, Resource: resource}
}

// Parse splits s; it returns ErrMalformed unless s has six parts and a
// non-empty partition, service and resource.
func Parse(s string) (ARN, error) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return ARN{}, ErrMalformed
	}
	return ARN{Partition: p[1], Service: p[2], Region: p[3], Account: p[4], Resource: p[5]}, nil
}

// String prints the ARN in its colon form.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

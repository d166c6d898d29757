package server

import (
	"fmt"

	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// ServiceCoverage says what of one AWS API is built.
type ServiceCoverage struct {
	Name, ID   string
	Built      []string // operations
	Refused    []string // operations
	Parameters []string // of built operations, with the reason
}

// Coverage reads the operation tables that serve requests. It needs no
// running server: whether an operation is built is a matter of types.
func Coverage() []ServiceCoverage {
	var out []ServiceCoverage
	for _, reg := range (&services{}).registrations() {
		out = append(out, coverageOf(reg))
	}
	return out
}

func coverageOf(reg awsapi.Registration) ServiceCoverage {
	c := ServiceCoverage{Name: reg.Model.Name, ID: reg.Model.ID}
	for i := range reg.Model.Operations {
		op := &reg.Model.Operations[i]
		if op.Built(reg.Service) {
			c.Built = append(c.Built, op.Name)
		} else {
			c.Refused = append(c.Refused, op.Name)
		}
	}
	if r, ok := reg.Service.(wire.Refuser); ok {
		for _, p := range r.Refused() {
			c.Parameters = append(c.Parameters, fmt.Sprintf("%s.%s: %s", p.Operation, p.Member, p.Reason))
		}
	}
	return c
}

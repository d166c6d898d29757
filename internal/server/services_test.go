package server

import (
	"reflect"
	"testing"
)

// TestOperationsHaveTheirSignature: a method that is named like an operation
// but has another signature would silently count as not built.
func TestOperationsHaveTheirSignature(t *testing.T) {
	t.Parallel()
	for _, reg := range (&services{}).registrations() {
		methods := reflect.TypeOf(reg.Service)
		for i := range reg.Model.Operations {
			op := &reg.Model.Operations[i]
			if _, named := methods.MethodByName(op.Name); named && !op.Built(reg.Service) {
				t.Errorf("%s.%s has the name of an operation but not its signature", reg.Model.Name, op.Name)
			}
		}
	}
}

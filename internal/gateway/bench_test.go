package gateway

import (
	"context"
	"net/http"
)

// constant is a Functions that always answers the same.
type constant struct{ result FunctionResult }

func (c *constant) InvokeFunction(context.Context, *FunctionCall) (*FunctionResult, error) {
	return &c.result, nil
}

// discard is a ResponseWriter that keeps the status alone.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

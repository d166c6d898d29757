// Package examples carries the example projects inside the binary, so that
// `butai demo` needs no checkout.
package examples

import "embed"

// UserAPI is examples/user-api: Terraform and a handler.
//
//go:embed user-api/main.tf user-api/handler/main.py
var UserAPI embed.FS

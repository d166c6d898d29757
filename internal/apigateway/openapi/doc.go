// Package openapi translates between OpenAPI documents (Swagger 2.0 and
// OpenAPI 3.0, JSON or YAML, with the x-amazon-apigateway extensions) and API
// Gateway's own shapes. It is pure: what a document says of an API is a value
// here, which package apigateway stores, and what is exported is handed in.
package openapi

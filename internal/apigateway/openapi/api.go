package openapi

import (
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
)

// Options say how a document is to be read.
type Options struct {
	// APIID is the API that the document is for; references between models
	// are addresses that name it.
	APIID string
	// Account and Region are what ${AWS::AccountId} and ${AWS::Region} stand
	// for.
	Account, Region string
	// BasePath is what becomes of the document's base path: "ignore" (also
	// ""), "prepend", or "split", which prepends all but its first segment.
	BasePath string
}

// API is what a document says of an API. Records have no ids: a method names
// its authorizer and validator, a resource its path.
type API struct {
	// RestApi has the attributes that the document gives; others are nil.
	apigatewayapi.RestApi
	Resources          []Resource // in the document's order, without those that only lead to them
	Models             []apigatewayapi.Model
	Authorizers        []apigatewayapi.Authorizer
	RequestValidators  []apigatewayapi.RequestValidator
	GatewayResponses   []apigatewayapi.GatewayResponse
	DocumentationParts []apigatewayapi.DocumentationPart
	// Warnings name what was left out, Errors what can't be imported.
	Warnings, Errors []string
}

// Resource is a path and its methods.
type Resource struct {
	Path    string
	Methods []Method
}

// Method is a method with its integration and responses. Its own members for
// ids are nil.
type Method struct {
	apigatewayapi.Method
	Authorizer, Validator string // names, or ""
}

// Package release moves an API from stage to stage, gateway and code as one
// unit. Its steps and its way back are decided by package plan, which is pure;
// this package carries them out through the small interfaces of aws.go, and
// writes each step to the journal before it is done.
package release

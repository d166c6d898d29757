// Package vtl is API Gateway's mapping-template engine: the Velocity Template
// Language of Apache Velocity 1.7 with the $input, $util, $context and
// $stageVariables objects of REST APIs. A template is compiled once per
// deployment into a tree of closed operations; rendering parses nothing,
// uses no reflection and is bounded in work, nesting and output, so a
// template can fail but neither hang nor panic. The package does no I/O.
//
// Where it leaves Apache Velocity on purpose is listed in differences.md.
// The oracle folder holds a small server around the real Velocity that the
// differential tests compare with.
package vtl

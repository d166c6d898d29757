// Package archtest holds the rules of the house as tests: which room may
// import which, who may know the time, and what every package owes its
// reader. It has no code of its own.
package archtest

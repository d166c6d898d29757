package sqs

import (
	"github.com/butai-dev/butai/internal/iam/policy"
)

// checkPolicy checks the text of a queue's policy.
func checkPolicy(name, text string) error {
	if text == "" {
		return nil
	}
	if _, err := policy.Parse([]byte(text), policy.Resource); err != nil {
		return invalidValue(name)
	}
	return nil
}

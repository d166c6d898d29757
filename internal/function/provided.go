package function

import (
	"errors"

	"github.com/butai-dev/butai/internal/function/sandbox"
)

func (i *instance) startProvided(sandbox.Level) error { return errors.New("x") }

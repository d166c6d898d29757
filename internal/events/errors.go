package events

import (
	"fmt"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// invalid is a front-end error of EventBridge that its model doesn't have.
func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

func notFound(format string, args ...any) error {
	return &eventsapi.ResourceNotFoundException{Message: wire.Ptr(fmt.Sprintf(format, args...))}
}

func noBus(name string) error { return notFound("Event bus %s does not exist.", name) }

func noRule(p rulePlace) error {
	return notFound("Rule %s does not exist on EventBus %s.", p.Name, p.Bus.Name)
}

func tooMany() error {
	return &eventsapi.LimitExceededException{Message: wire.Ptr("The requested resource exceeds the maximum number allowed.")}
}

func badARN(text string) error {
	return invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", text)
}

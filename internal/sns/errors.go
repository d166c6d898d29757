package sns

import (
	"fmt"
	"strings"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/wire"
)

func invalid(format string, args ...any) error {
	return &snsapi.InvalidParameterException{Message: wire.Ptr("Invalid parameter: " + fmt.Sprintf(format, args...))}
}

func noTopic() error {
	return &snsapi.NotFoundException{Message: wire.Ptr("Topic does not exist")}
}

func noSubscription() error {
	return &snsapi.NotFoundException{Message: wire.Ptr("Subscription does not exist")}
}

// parseARN reads the ARN in a parameter; more is how many parts it has beyond
// those of a topic's.
func parseARN(parameter, text string, more int) (place, string, error) {
	const parts = 6
	have := strings.Split(text, ":")
	if len(have) < parts {
		return place{}, "", invalid("%s Reason: An ARN must have at least 6 elements, not %d", parameter, len(have))
	}
	a, err := arn.Parse(text)
	if err != nil || a.Service != "sns" || len(have) != parts+more {
		return place{}, "", invalid("%s", parameter)
	}
	name, id, _ := strings.Cut(a.Resource, ":")
	return place{a.Account, a.Region, name}, id, nil
}

func parseTopic(parameter string, text *string) (place, error) {
	p, _, err := parseARN(parameter, wire.Val(text), 0)
	return p, err
}

func parseSubscription(text *string) (place, string, error) {
	return parseARN("SubscriptionArn", wire.Val(text), 1)
}

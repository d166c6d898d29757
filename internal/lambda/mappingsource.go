package lambda

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// sourceKind is the service of an event source's ARN.
func sourceKind(source *string) (string, error) {
	if source == nil {
		return "", invalid("Unrecognized event source.")
	}
	switch kind := serviceOf(*source); kind {
	case sourceQueue:
		return kind, nil
	case sourceStream:
		if strings.Contains(*source, "/stream/") {
			return kind, nil
		}
	case "kinesis", "kafka", "mq", "rds":
		return "", wire.NotBuilt("event source mappings of %s", kind)
	}
	return "", invalid("Unrecognized event source.")
}

// mapped reads the function of a mapping, which keeps the qualifier.
func (s *Service) mapped(ctx context.Context, name *string) (ref, *versionRecord, error) {
	if name == nil {
		return ref{}, nil, invalid("Function name is required.")
	}
	r, _, v, err := s.view(ctx, name, nil)
	if err != nil {
		if permanent(err) {
			err = invalid("Function does not exist")
		}
		return r, nil, err
	}
	if strings.HasPrefix(*name, "arn:") && r.qualifier == catalog.Latest {
		r.qualifier = "" // recorded: only of a whole ARN
	}
	return r, v, nil
}

// checkDuplicate refuses a second mapping of one source to one function.
func checkDuplicate(tx store.ReadTx, kind string, m *mappingRecord, function string) error {
	for other, err := range mappings.All(tx, m.Account, m.Region) {
		if err != nil {
			return err
		}
		if *other.Config.EventSourceArn != *m.Config.EventSourceArn || *other.Config.FunctionArn != *m.Config.FunctionArn {
			continue
		}
		what := "The event source arn"
		if kind == sourceQueue {
			what = "An event source mapping with SQS arn"
		}
		i, err := parseID(function)
		name := function
		if err == nil {
			name = i.name
		}
		return conflict(`%s (" %s ") and function (" %s ") provided mapping already exists. Please update or delete the existing mapping with UUID %s`,
			what, *m.Config.EventSourceArn, name, other.uuid())
	}
	return nil
}

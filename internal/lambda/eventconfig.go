package lambda

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// eventConfigs say what becomes of asynchronous invocations; the ids are
// account, region, function name and qualifier, which is $LATEST for none.
var eventConfigs = record.New[lambdaapi.FunctionEventInvokeConfig]("lambda", "eventconfig")

// eventRef reads the name and qualifier of an EventInvokeConfig call.
func eventRef(ctx context.Context, name, qualifier *string) (ref, error) {
	r, err := resolve(ctx, name, qualifier)
	if err == nil && r.qualifier == "" {
		r.qualifier = catalog.Latest
	}
	return r, err
}

func noEventConfig(r ref) error {
	return missing("The function %s doesn't have an EventInvokeConfig", r.qualified())
}

var errNoFunction = missing("The function doesn't exist.")

// eventChange is what the two calls that set a configuration have in common.
type eventChange struct {
	Retries, Age *int64
	Destinations *lambdaapi.DestinationConfig
}

func (e *eventChange) isEmpty() bool {
	return e.Retries == nil && e.Age == nil && e.Destinations == nil
}

// PutFunctionEventInvokeConfig sets the configuration in place of an earlier one.
func (s *Service) PutFunctionEventInvokeConfig(ctx context.Context, in *lambdaapi.PutFunctionEventInvokeConfigRequest) (*lambdaapi.FunctionEventInvokeConfig, error) {
	r, err := eventRef(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return s.setEventConfig(ctx, r, &eventChange{in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig}, false)
}

// UpdateFunctionEventInvokeConfig changes those parts of a configuration that
// the request has.
func (s *Service) UpdateFunctionEventInvokeConfig(ctx context.Context, in *lambdaapi.UpdateFunctionEventInvokeConfigRequest) (*lambdaapi.FunctionEventInvokeConfig, error) {
	r, err := eventRef(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return s.setEventConfig(ctx, r, &eventChange{in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig}, true)
}

func (s *Service) setEventConfig(ctx context.Context, r ref, change *eventChange, merge bool) (*lambdaapi.FunctionEventInvokeConfig, error) {
	if change.isEmpty() {
		return nil, invalid("You must specify at least one of error handling or destination setting.")
	}
	_, _, v, err := s.view(ctx, wire.Ptr(r.arn()), &r.qualifier)
	if err != nil {
		return nil, errNoFunction
	}
	if err := s.checkDestinations(ctx, r, *v.Config.Role, change.Destinations); err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	var c *lambdaapi.FunctionEventInvokeConfig
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := eventConfigs.Get(tx, r.key(r.qualifier)...)
		if err != nil {
			return err
		}
		if have == nil && merge {
			return noEventConfig(r)
		}
		c = &lambdaapi.FunctionEventInvokeConfig{DestinationConfig: &lambdaapi.DestinationConfig{}}
		if merge {
			c = have
		}
		c.FunctionArn, c.LastModified = wire.Ptr(r.qualified()), &now
		setIf(&c.MaximumRetryAttempts, change.Retries)
		setIf(&c.MaximumEventAgeInSeconds, change.Age)
		setIf(&c.DestinationConfig, change.Destinations)
		c.DestinationConfig = whole(c.DestinationConfig)
		return eventConfigs.Put(tx, c, r.key(r.qualifier)...)
	})
	return c, err
}

// whole is a DestinationConfig with both members, as answers have it.
func whole(d *lambdaapi.DestinationConfig) *lambdaapi.DestinationConfig {
	out := &lambdaapi.DestinationConfig{OnSuccess: &lambdaapi.OnSuccess{}, OnFailure: &lambdaapi.OnFailure{}}
	if d != nil {
		setIf(&out.OnSuccess, d.OnSuccess)
		setIf(&out.OnFailure, d.OnFailure)
	}
	return out
}

// checkDestinations checks that each destination exists, and that the
// function's role may send to it.
func (s *Service) checkDestinations(ctx context.Context, r ref, role string, d *lambdaapi.DestinationConfig) error {
	if d == nil {
		return nil
	}
	onSuccess := ""
	if d.OnSuccess != nil {
		onSuccess = wire.Val(d.OnSuccess.Destination)
	}
	targets := []string{onSuccess, onFailure(d)}
	for _, target := range targets {
		if target != "" && serviceOf(target) != "events" && verbs[serviceOf(target)] == "" {
			return invalid("The provided destination config %s is invalid.", javaText("DestinationConfig", d))
		}
	}
	for i, target := range targets {
		if target == "" {
			continue
		}
		if base, _ := catalog.Split(target); base == r.arn() {
			return invalid("You can't specify the function as a destination for itself.")
		}
		if i == 0 && serviceOf(target) == "s3" {
			return invalid("The destination ARN %s is invalid.", target) // on failure only
		}
		if err := s.checkTarget(ctx, role, target); err != nil {
			return err
		}
	}
	return nil
}

func onFailure(d *lambdaapi.DestinationConfig) string {
	if d == nil || d.OnFailure == nil {
		return ""
	}
	return wire.Val(d.OnFailure.Destination)
}

func serviceOf(target string) string {
	a, err := arn.Parse(target)
	if err != nil {
		return ""
	}
	return a.Service
}

// checkTarget checks one destination.
func (s *Service) checkTarget(ctx context.Context, role, target string) error {
	switch service := serviceOf(target); service {
	case "sqs", "sns", "s3", "lambda", "events":
		exists, may := s.Targets.Check(ctx, role, target)
		if !exists {
			return invalid("The destination ARN %s is invalid.", target)
		}
		if !may {
			return invalid("The function's execution role does not have permissions to call %s on %s", verbs[service], target)
		}
		return nil
	}
	return invalid("The destination ARN %s is invalid.", target)
}

// verbs are the actions by which Lambda sends to a service.
var verbs = map[string]string{"sqs": "SendMessage", "sns": "Publish", "s3": "PutObject", "lambda": "InvokeFunction", "events": "PutEvents"}

// GetFunctionEventInvokeConfig returns the configuration of a qualifier.
func (s *Service) GetFunctionEventInvokeConfig(ctx context.Context, in *lambdaapi.GetFunctionEventInvokeConfigRequest) (*lambdaapi.FunctionEventInvokeConfig, error) {
	r, err := eventRef(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	var c *lambdaapi.FunctionEventInvokeConfig
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		c, err = eventConfigs.Get(tx, r.key(r.qualifier)...)
		return err
	})
	if err == nil && c == nil {
		err = noEventConfig(r)
	}
	return c, err
}

// ListFunctionEventInvokeConfigs lists the configurations of a function's qualifiers.
func (s *Service) ListFunctionEventInvokeConfigs(ctx context.Context, in *lambdaapi.ListFunctionEventInvokeConfigsRequest) (*lambdaapi.ListFunctionEventInvokeConfigsResponse, error) {
	r, err := resolve(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	var found []lambdaapi.FunctionEventInvokeConfig
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		found = nil
		if f, err := functions.Get(tx, r.key()...); err != nil || f == nil {
			return cmp.Or(err, errNoFunction)
		}
		for c, err := range eventConfigs.All(tx, r.key()...) {
			if err != nil {
				return err
			}
			found = append(found, *c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found, func(a, b lambdaapi.FunctionEventInvokeConfig) int {
		return strings.Compare(*a.FunctionArn, *b.FunctionArn)
	})
	out := &lambdaapi.ListFunctionEventInvokeConfigsResponse{}
	out.FunctionEventInvokeConfigs, out.NextMarker, err = page(found, in.Marker, in.MaxItems)
	return out, err
}

// DeleteFunctionEventInvokeConfig takes the configuration of a qualifier away.
func (s *Service) DeleteFunctionEventInvokeConfig(ctx context.Context, in *lambdaapi.DeleteFunctionEventInvokeConfigRequest) error {
	r, err := eventRef(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if c, err := eventConfigs.Get(tx, r.key(r.qualifier)...); err != nil || c == nil {
			return cmp.Or(err, noEventConfig(r))
		}
		return eventConfigs.Delete(tx, r.key(r.qualifier)...)
	})
}

package s3

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// listener is one of a bucket's configurations: who is told of which events.
// It points into the shape that it was made from.
type listener struct {
	argument string // what errors call its target
	service  string // of the target
	id       **string
	target   *string
	events   []string
	filter   *s3api.NotificationConfigurationFilter
}

// listeners are the configurations in the order in which S3 looks at them.
func listeners(c *s3api.NotificationConfiguration) (out []listener) {
	if c == nil {
		return nil
	}
	for i := range c.TopicConfigurations {
		t := &c.TopicConfigurations[i]
		out = append(out, listener{"Topic", "sns", &t.Id, t.TopicArn, t.Events, t.Filter})
	}
	for i := range c.QueueConfigurations {
		q := &c.QueueConfigurations[i]
		out = append(out, listener{"Queue", "sqs", &q.Id, q.QueueArn, q.Events, q.Filter})
	}
	for i := range c.LambdaFunctionConfigurations {
		f := &c.LambdaFunctionConfigurations[i]
		out = append(out, listener{"CloudFunction", "lambda", &f.Id, f.LambdaFunctionArn, f.Events, f.Filter})
	}
	return out
}

// rules are the filter's; there may be none.
func (l *listener) rules() []s3api.FilterRule {
	if l.filter == nil || l.filter.Key == nil {
		return nil
	}
	return l.filter.Key.FilterRules
}

// bounds are the prefix and the suffix of the keys that l is told of.
func (l *listener) bounds() (prefix, suffix string) {
	for _, rule := range l.rules() {
		if strings.EqualFold(*rule.Name, s3api.FilterRuleNamePrefix) {
			prefix = wire.Val(rule.Value)
		} else {
			suffix = wire.Val(rule.Value)
		}
	}
	return prefix, suffix
}

// hears reports whether l is told of an event, such as "s3:ObjectCreated:Put",
// of a key.
func (l *listener) hears(event, key string) bool {
	prefix, suffix := l.bounds()
	if !strings.HasPrefix(key, prefix) || !strings.HasSuffix(key, suffix) {
		return false
	}
	for _, e := range l.events {
		if covers(e, event) {
			return true
		}
	}
	return false
}

// covers reports whether an event type is another one, or all of its kind.
func covers(wide, narrow string) bool {
	kind, all := strings.CutSuffix(wide, "*")
	return wide == narrow || all && strings.HasPrefix(narrow, kind)
}

// GetBucketNotificationConfiguration returns who is notified.
func (s *Service) GetBucketNotificationConfiguration(ctx context.Context, in *s3api.GetBucketNotificationConfigurationRequest) (*s3api.NotificationConfiguration, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil || b.Notification == nil {
		return &s3api.NotificationConfiguration{}, err
	}
	return b.Notification, nil
}

// PutBucketNotificationConfiguration sets who is notified. Unless told not to,
// it makes sure that they can be, and lets queues and topics know by a test
// event.
func (s *Service) PutBucketNotificationConfiguration(ctx context.Context, in *s3api.PutBucketNotificationConfigurationRequest) error {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return err
	}
	all, skip := listeners(in.NotificationConfiguration), wire.Val(in.SkipDestinationValidation)
	if err := checkListeners(b, all); err != nil {
		return err
	}
	if !skip {
		if err := s.checkTargets(ctx, b, all); err != nil {
			return err
		}
	}
	var made []*notice
	err = s.Store.Update(ctx, func(tx store.Tx) (err error) {
		made = nil
		if b, err = getBucket(tx, account(ctx), *in.Bucket, in.ExpectedBucketOwner); err != nil {
			return err
		}
		b.Notification = in.NotificationConfiguration
		if !skip {
			if made, err = s.testEvents(ctx, tx, b, all); err != nil {
				return err
			}
		}
		return buckets.Put(tx, b, b.Name)
	})
	s.enqueue(err, made)
	return err
}

// badArgument is an error that names the argument it is about.
func badArgument(message, name, value string) error {
	return &wire.About{Member: "ArgumentName", Value: name, Err: &wire.About{Member: "ArgumentValue", Value: value, Err: invalidArgument(message)}}
}

// checkListeners checks all that can be told without looking at targets, and
// makes ids and the names of filter rules what S3 shows.
func checkListeners(b *bucket, all []listener) error {
	ids := map[string]bool{}
	for i := range all {
		l := &all[i]
		if err := l.checkTarget(b); err != nil {
			return err
		}
		if err := l.checkEvents(); err != nil {
			return err
		}
		if err := l.checkFilter(); err != nil {
			return err
		}
		if wire.Val(*l.id) == "" {
			*l.id = wire.Ptr(base64.StdEncoding.EncodeToString([]byte(ident.UUID())))
		}
		if ids[**l.id] {
			return invalidArgument("Same ID used for multiple configurations. IDs must be unique.")
		}
		ids[**l.id] = true
	}
	for i := range all {
		for j := range all[:i] {
			if err := all[i].checkOverlap(&all[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *listener) checkTarget(b *bucket) error {
	a, err := arn.Parse(*l.target)
	switch {
	case err != nil || a.Service != l.service || a.Account == "" || a.Resource == "":
		return badArgument("The ARN could not be parsed", l.argument, *l.target)
	case a.Region != b.Region:
		return badArgument("The notification destination service region is not valid for the bucket location constraint", l.argument, *l.target)
	case l.service == "sqs" && strings.HasSuffix(a.Resource, ".fifo"):
		return badArgument("FIFO SQS queues are not supported.", l.argument, *l.target)
	}
	return nil
}

// maxFilterValue is in bytes (S3 User Guide: "Configuring event notifications
// using object key name filtering").
const maxFilterValue = 1024

func (l *listener) checkEvents() error {
	for _, e := range l.events {
		if !slices.Contains(eventTypes, e) {
			return badArgument("The event '"+e+"' is not supported for notifications", "Event", e)
		}
	}
	return nil
}

func (l *listener) checkFilter() error {
	seen := map[string]bool{}
	for i, rule := range l.rules() {
		name := ""
		for _, known := range []string{s3api.FilterRuleNamePrefix, s3api.FilterRuleNameSuffix} {
			if strings.EqualFold(known, wire.Val(rule.Name)) {
				name = known
			}
		}
		switch {
		case name == "":
			return badArgument("filter rule name must be either prefix or suffix", "FilterRule.Name", wire.Val(rule.Name))
		case seen[name]:
			return badArgument("Cannot specify more than one "+name+" rule in a filter.", "FilterRule.Name", name)
		case len(wire.Val(rule.Value)) > maxFilterValue:
			return badArgument("Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation", "FilterRule.Value", *rule.Value)
		}
		seen[name] = true
		// S3 takes the names in any case, and shows them so (recorded).
		l.rules()[i].Name = wire.Ptr(strings.ToUpper(name[:1]) + name[1:])
	}
	return nil
}

// checkOverlap refuses two configurations that would both be told of an event.
func (l *listener) checkOverlap(o *listener) error {
	shared := false
	for _, e := range l.events {
		for _, f := range o.events {
			shared = shared || covers(e, f) || covers(f, e)
		}
	}
	prefix, suffix := l.bounds()
	otherPrefix, otherSuffix := o.bounds()
	apart := !strings.HasPrefix(prefix, otherPrefix) && !strings.HasPrefix(otherPrefix, prefix) ||
		!strings.HasSuffix(suffix, otherSuffix) && !strings.HasSuffix(otherSuffix, suffix)
	switch {
	case !shared || apart:
		return nil
	case len(l.rules()) == 0 && len(o.rules()) == 0:
		return invalidArgument("Configurations overlap. Configurations on the same bucket cannot share a common event type.")
	}
	return invalidArgument("Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.")
}

// checkTargets asks for every target whether it can be notified, and tells of
// all that can't.
func (s *Service) checkTargets(ctx context.Context, b *bucket, all []listener) error {
	var names, reasons []string
	for _, l := range all {
		reason, err := s.Targets.Check(ctx, b.notice(*l.target))
		if err != nil {
			return err
		}
		if reason == "" {
			continue
		}
		name := *l.target
		if l.service == "lambda" {
			name += ", null" // recorded
		}
		names, reasons = append(names, name), append(reasons, reason)
	}
	if names == nil {
		return nil
	}
	err := invalidArgument("Unable to validate the following destination configurations")
	for i := len(names) - 1; i >= 0; i-- {
		n := strconv.Itoa(i + 1)
		err = &wire.About{Member: "ArgumentName" + n, Value: names[i], Err: &wire.About{Member: "ArgumentValue" + n, Value: reasons[i], Err: err}}
	}
	return err
}

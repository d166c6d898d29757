package s3_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/s3"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	someFunction = "arn:aws:lambda:us-east-1:111122223333:function:f"
	someQueue    = "arn:aws:sqs:us-east-1:111122223333:q"
	someTopic    = "arn:aws:sns:us-east-1:111122223333:t"
)

// told are the targets of buckets.
type told struct {
	mu      sync.Mutex
	refuse  map[string]string // reasons by target
	fail    []error           // of the next deliveries
	notices []*s3.Notice
}

func (t *told) Check(_ context.Context, n *s3.Notice) (string, error) { return t.refuse[n.Target], nil }

func (t *told) Notify(_ context.Context, n *s3.Notice) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.fail) > 0 {
		err := t.fail[0]
		t.fail = t.fail[1:]
		return err
	}
	t.notices = append(t.notices, n)
	return nil
}

// take returns what was told since.
func (t *told) take() []*s3.Notice {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.notices
	t.notices = nil
	return out
}

func toFunction(id string, filter []s3api.FilterRule, events ...string) s3api.LambdaFunctionConfiguration {
	c := s3api.LambdaFunctionConfiguration{LambdaFunctionArn: wire.Ptr(someFunction), Events: events}
	if id != "" {
		c.Id = &id
	}
	if filter != nil {
		c.Filter = &s3api.NotificationConfigurationFilter{Key: &s3api.S3KeyFilter{FilterRules: filter}}
	}
	return c
}

func filter(pairs ...string) (out []s3api.FilterRule) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, s3api.FilterRule{Name: &pairs[i], Value: &pairs[i+1]})
	}
	return out
}

func (r *rig) notify(c *s3api.NotificationConfiguration) error {
	return r.PutBucketNotificationConfiguration(r.ctx, &s3api.PutBucketNotificationConfigurationRequest{Bucket: wire.Ptr("code"), NotificationConfiguration: c})
}

func functions(all ...s3api.LambdaFunctionConfiguration) *s3api.NotificationConfiguration {
	return &s3api.NotificationConfiguration{LambdaFunctionConfigurations: all}
}

// TestNotificationChecks: what S3 says of configurations that won't do.
func TestNotificationChecks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	must[*s3api.CreateBucketOutput](t)(r.CreateBucket(r.ctx, &s3api.CreateBucketRequest{Bucket: wire.Ptr("code")}))
	const made = "s3:ObjectCreated:*"
	arn := func(arn string) *s3api.NotificationConfiguration {
		c := toFunction("", nil, made)
		c.LambdaFunctionArn = &arn
		return functions(c)
	}
	const ambiguous = "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type."
	for name, tt := range map[string]struct {
		config *s3api.NotificationConfiguration
		want   string // message
	}{
		"no ARN":          {arn("invalid"), "The ARN could not be parsed"},
		"another service": {arn(someQueue), "The ARN could not be parsed"},
		"another region": {arn(strings.Replace(someFunction, "us-east-1", "eu-west-1", 1)),
			"The notification destination service region is not valid for the bucket location constraint"},
		"a FIFO queue": {&s3api.NotificationConfiguration{QueueConfigurations: []s3api.QueueConfiguration{{QueueArn: wire.Ptr(someQueue + ".fifo"), Events: []string{made}}}},
			"FIFO SQS queues are not supported."},
		"no such event": {functions(toFunction("", nil, "s3:ObjectEaten")), "The event 's3:ObjectEaten' is not supported for notifications"},
		"a filter of what isn't there": {functions(toFunction("", filter("INVALID", "x"), made)),
			"filter rule name must be either prefix or suffix"},
		"two prefixes":     {functions(toFunction("", filter("prefix", "a", "Prefix", "b"), made)), "Cannot specify more than one prefix rule in a filter."},
		"a long filter":    {functions(toFunction("", filter("prefix", strings.Repeat("a", 1025)), made)), "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation"},
		"one id twice":     {functions(toFunction("a", filter("prefix", "a"), made), toFunction("a", filter("prefix", "b"), made)), "Same ID used for multiple configurations. IDs must be unique."},
		"one event twice":  {functions(toFunction("a", nil, made), toFunction("b", nil, "s3:ObjectCreated:Put")), "Configurations overlap. Configurations on the same bucket cannot share a common event type."},
		"prefixes overlap": {functions(toFunction("a", filter("prefix", "a"), made), toFunction("b", filter("prefix", "ab"), made)), ambiguous},
		"suffixes overlap": {functions(toFunction("a", filter("suffix", ".gz"), made), toFunction("b", filter("suffix", ".tar.gz"), made)), ambiguous},
		"one is unbounded": {functions(toFunction("a", nil, made), toFunction("b", filter("suffix", ".tar.gz"), made)), ambiguous},
		"suffixes apart":   {functions(toFunction("a", filter("prefix", "a", "suffix", ".jpg"), made), toFunction("b", filter("prefix", "a", "suffix", ".png"), made)), ""},
		"events apart":     {functions(toFunction("a", nil, made), toFunction("b", nil, "s3:ObjectRemoved:*")), ""},
		"prefixes are apart": {functions(toFunction("a", filter("Prefix", "in/"), made), toFunction("b", filter("PREFIX", "out/"), made)),
			""},
	} {
		got := ""
		if err := r.notify(tt.config); err != nil {
			_, _, _, got = wire.ErrorFacts(err)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	kept := must[*s3api.NotificationConfiguration](t)(r.GetBucketNotificationConfiguration(r.ctx, &s3api.GetBucketNotificationConfigurationRequest{Bucket: wire.Ptr("code")}))
	for _, l := range kept.LambdaFunctionConfigurations {
		for _, rule := range wire.Val(wire.Val(l.Filter).Key).FilterRules {
			if *rule.Name != "Prefix" && *rule.Name != "Suffix" {
				t.Errorf("a filter rule is shown as %s", *rule.Name)
			}
		}
	}
}

// TestNotificationTargets: all targets that can't be told are named, unless
// nobody asks.
func TestNotificationTargets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	must[*s3api.CreateBucketOutput](t)(r.CreateBucket(r.ctx, &s3api.CreateBucketRequest{Bucket: wire.Ptr("code")}))
	r.told.refuse = map[string]string{someQueue: "not there", someFunction: "not allowed"}
	c := functions(toFunction("f", nil, "s3:ObjectCreated:*"))
	c.QueueConfigurations = []s3api.QueueConfiguration{{QueueArn: wire.Ptr(someQueue), Events: []string{"s3:ObjectRemoved:*"}}}
	err := r.notify(c)
	var members []string
	for about, ok := err.(*wire.About); ok; about, ok = err.(*wire.About) {
		members = append(members, about.Member+"="+about.Value)
		err = about.Err
	}
	want := "ArgumentName1=" + someQueue + " ArgumentValue1=not there ArgumentName2=" + someFunction + ", null ArgumentValue2=not allowed"
	if got := strings.Join(members, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	check(t, "InvalidArgument", err)
	must1(t, r.PutBucketNotificationConfiguration(r.ctx, &s3api.PutBucketNotificationConfigurationRequest{
		Bucket: wire.Ptr("code"), NotificationConfiguration: c, SkipDestinationValidation: wire.Ptr(true),
	}))
}

// TestNoticesSurviveRestarts: a notice is tried again, and by the next process.
func TestNoticesSurviveRestarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		must[*s3api.CreateBucketOutput](t)(r.CreateBucket(r.ctx, &s3api.CreateBucketRequest{Bucket: wire.Ptr("code")}))
		c := functions(toFunction("made", filter("prefix", "in/"), "s3:ObjectCreated:*"))
		c.TopicConfigurations = []s3api.TopicConfiguration{{Id: wire.Ptr("gone"), TopicArn: wire.Ptr(someTopic), Events: []string{"s3:ObjectRemoved:Delete"}}}
		c.EventBridgeConfiguration = &s3api.EventBridgeConfiguration{}
		must1(t, r.notify(c))
		r.put(t, "in/a b@c", "bytes")
		r.put(t, "out", "bytes")
		must[*s3api.DeleteObjectOutput](t)(r.DeleteObject(r.ctx, &s3api.DeleteObjectRequest{Bucket: wire.Ptr("code"), Key: wire.Ptr("out")}))
		must[*s3api.DeleteObjectOutput](t)(r.DeleteObject(r.ctx, &s3api.DeleteObjectRequest{Bucket: wire.Ptr("code"), Key: wire.Ptr("never there")}))
		r.Close(t.Context())
		r.open(t) // nothing was started before

		r.told.fail = []error{&wire.Error{Code: "InternalFailure", Status: 500}}
		r.Start()
		got := map[string]string{}
		for range 3 {
			time.Sleep(time.Second) // of the failed one's wait
			synctest.Wait()
			for _, n := range r.told.take() {
				got[n.Target+" "+n.DetailType+" "+nameIn(t, n.Body)] = string(n.Body)
			}
		}
		for _, want := range []string{
			someTopic + "  s3:TestEvent", someFunction + "  ObjectCreated:Put", someTopic + "  ObjectRemoved:Delete",
			" Object Created in/a b@c", " Object Created out", " Object Deleted out",
		} {
			if _, ok := got[want]; !ok {
				t.Errorf("nobody was told of %q", want)
			}
		}
		if body := got[someFunction+"  ObjectCreated:Put"]; !strings.Contains(body, `"key":"in/a+b%40c","size":5,"eTag":"4b3a6218bb3e3a7303e8a171a60fcf92","sequencer":"00`) {
			t.Errorf("the object of an event: %s", body)
		}
		r.Close(t.Context())
	})
}

// nameIn is what an event is called, or the key it is about.
func nameIn(t *testing.T, body []byte) string {
	t.Helper()
	var event struct {
		Event   string
		Records []struct{ EventName string }
		Object  struct{ Key string }
	}
	if err := json.Unmarshal(body, &event); err != nil {
		t.Fatal(err)
	}
	if len(event.Records) > 0 {
		return event.Records[0].EventName
	}
	return event.Event + event.Object.Key
}

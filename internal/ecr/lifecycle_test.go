package ecr_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/wire"
)

const day = 24 * time.Hour

// push pushes a new image under tags; without any it is pushed by its digest.
// It returns the digest.
func (h *house) push(tags ...string) string {
	h.t.Helper()
	img, auth := someImage(h.t), h.login(account)
	digest, err := img.Digest()
	must(h.t, err)
	if len(tags) == 0 {
		must(h.t, remote.Write(h.ref("team/app@"+digest.String()), img, auth))
	}
	for _, tag := range tags {
		must(h.t, remote.Write(h.ref("team/app:"+tag), img, auth))
	}
	return digest.String()
}

func rule(priority int, selection string) string {
	return fmt.Sprintf(`{"rulePriority": %d, "selection": {%s}, "action": {"type": "expire"}}`, priority, selection)
}

func count(tags string, n int) string {
	return fmt.Sprintf(`%s, "countType": "imageCountMoreThan", "countNumber": %d`, tags, n)
}

func age(tags string, days int) string {
	return fmt.Sprintf(`%s, "countType": "sinceImagePushed", "countUnit": "days", "countNumber": %d`, tags, days)
}

func prefix(list string) string {
	return `"tagStatus": "tagged", "tagPrefixList": ["` + strings.ReplaceAll(list, " ", `", "`) + `"]`
}

func pattern(list string) string {
	return strings.Replace(prefix(list), "tagPrefixList", "tagPatternList", 1)
}

const (
	untagged = `"tagStatus": "untagged"`
	anyImage = `"tagStatus": "any"`
)

func policyOf(rules ...string) *string {
	return wire.Ptr(`{"rules": [` + strings.Join(rules, ", ") + `]}`)
}

// preview runs a preview and returns what expires, the oldest first, each by
// its tags and the rule.
func (h *house) preview(policy *string) string {
	h.t.Helper()
	ctx, name := as(h.t, account), wire.Ptr("team/app")
	started, err := h.StartLifecyclePolicyPreview(ctx, &ecrapi.StartLifecyclePolicyPreviewRequest{RepositoryName: name, LifecyclePolicyText: policy})
	must(h.t, err)
	if *started.Status != "IN_PROGRESS" {
		h.t.Errorf("a preview begins %s", *started.Status)
	}
	got, err := h.GetLifecyclePolicyPreview(ctx, &ecrapi.GetLifecyclePolicyPreviewRequest{RepositoryName: name})
	must(h.t, err)
	var out []string
	for _, r := range got.PreviewResults {
		out = append(out, fmt.Sprintf("%s by %d", strings.Join(r.ImageTags, "+"), *r.AppliedRulePriority))
	}
	if *got.Status != "COMPLETE" || *got.Summary.ExpiringImageTotalCount != int64(len(out)) {
		h.t.Errorf("the preview is %s, of %d images", *got.Status, *got.Summary.ExpiringImageTotalCount)
	}
	return strings.Join(out, ", ")
}

// TestLifecycleRules has the examples of the User Guide, "Examples of lifecycle
// policies".
func TestLifecycleRules(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		images string // one for each day, tags joined by +, - for none
		rules  []string
		want   string
	}{
		{"age", "prod-1 other prod-2 prod-3", []string{rule(1, age(pattern("prod*"), 2))}, "prod-1 by 1"},
		{"age of all", "a - b", []string{rule(1, age(anyImage, 1))}, "a by 1,  by 1"},
		{"count", "- a - -", []string{rule(1, count(untagged, 1))}, " by 1,  by 1"},
		{"count of all", "a - b", []string{rule(7, count(anyImage, 1))}, "a by 7,  by 7"},
		{"A of several rules", "beta-1+prod-1 beta-2+prod-2 beta-3", []string{rule(1, count(prefix("prod"), 1)), rule(2, count(prefix("beta"), 1))}, "beta-1+prod-1 by 1"},
		{"B of several rules", "beta-1+prod-1 beta-2+prod-2 beta-3", []string{rule(1, count(prefix("beta"), 1)), rule(2, count(prefix("prod"), 1))}, "beta-1+prod-1 by 1, beta-2+prod-2 by 1"},
		{"order of the text", "beta-1+prod-1 beta-2+prod-2 beta-3", []string{rule(2, count(prefix("prod"), 1)), rule(1, count(prefix("beta"), 1))}, "beta-1+prod-1 by 1, beta-2+prod-2 by 1"},
		{"all of several prefixes", "alpha-1 beta-1 alpha-2+beta-2 alpha-3+beta-3", []string{rule(1, count(prefix("alpha beta"), 1))}, "alpha-2+beta-2 by 1"},
		{"any is last", "alpha-1 - beta-1 alpha-2 -", []string{rule(1, count(prefix("alpha"), 3)), rule(2, count(anyImage, 1))}, " by 2, beta-1 by 2"},
		{"patterns", "a-x-b axb a-b ab-x b-a-x", []string{rule(1, count(pattern("a*b"), 1))}, "a-x-b by 1, axb by 1"},
		{"wildcards overlap", "aba ab", []string{rule(1, count(pattern("ab*ba"), 1))}, ""},
		{"a pattern without any", "v1 v1.0 v1", []string{rule(1, age(pattern("v1"), 1))}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.create(nil)
			for image := range strings.FieldsSeq(tt.images) {
				h.push(strings.FieldsFunc(image, func(r rune) bool { return r == '+' || image == "-" })...)
				h.clock.Advance(day)
			}
			h.clock.Advance(-time.Hour)
			if got := h.preview(policyOf(tt.rules...)); got != tt.want {
				t.Errorf("expiring: %q, want %q", got, tt.want)
			}
			if got := len(h.images()); got < strings.Count(tt.want, " by ") {
				t.Errorf("a preview has left %d images", got)
			}
		})
	}
}

// TestLifecyclePolicyIsRefused has AWS's messages, those of the schema as its
// library words them.
func TestLifecyclePolicyIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(nil)
	pad := strings.Repeat(" ", 100)
	for text, want := range map[string]string{
		"none" + pad:                    "Could not map policyString into LifecyclePolicy.'",
		`{"no_rules": "test"}` + pad:    "object has missing required properties ([\"rules\"])\n'",
		`{"rules": []}` + pad:           "array is too short: must have at least 1 elements but instance has 0 elements\n'",
		`{"rules": ["not_dict"]}` + pad: "instance type (string) does not match any allowed primitive type (allowed: [\"object\"])\n'",
		*policyOf(`{"selection": {` + count(untagged, 1) + `}, "action": {"type": "expire"}}`):                                                       `object has missing required properties (["rulePriority"])`,
		*policyOf(`{"rulePriority": 1, "selection": {` + count(untagged, 1) + `}, "action": {"type": "expire"}, "unknown": 123}`):                    `object instance has properties which are not allowed by the schema: ["unknown"]`,
		*policyOf(`{"rulePriority": 1, "selection": {` + count(untagged, 1) + `}, "action": {"type": "expire", "targetStorageClass": null}}`):        "instance failed to match exactly one schema (matched 0 out of 2)\n'",
		*policyOf(rule(1, count(untagged+`, "countUnit": null`, 1))):                                                                                 "instance failed to match exactly one schema (matched 0 out of 4)",
		*policyOf(rule(1, count(untagged+`, "countUnit": "days"`, 1))):                                                                               "instance failed to match exactly one schema (matched 0 out of 4)\n'",
		*policyOf(rule(1, untagged+`, "countType": "unknown", "countNumber": 1`)):                                                                    "instance failed to match exactly one schema (matched 0 out of 4)\n'",
		*policyOf(rule(1, count(`"tagStatus": "unknown"`, 1))):                                                                                       `instance value ("unknown") not found in enum (possible values: ["any","tagged","untagged"])`,
		*policyOf(rule(1, count(untagged, 0))):                                                                                                       "numeric instance is lower than the required minimum (minimum: 1, found: 0)\n'",
		*policyOf(rule(1, count(`"tagStatus": "tagged"`, 1))):                                                                                        "'Lifecycle policy validation failure: Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.'",
		*policyOf(rule(1, count(prefix("a")+`, "tagPatternList": ["b"]`, 1))):                                                                        "If policy has a tagged rule, it must specify only one of tagPrefixList or tagPatternList.'",
		*policyOf(rule(1, count(untagged+`, "tagPrefixList": ["b"]`, 1))):                                                                            "Cannot specify tagPrefixList with tagStatus=UNTAGGED.'",
		*policyOf(rule(1, count(pattern("*a*b*c*d*"), 1))):                                                                                           "Invalid tag pattern provided.'",
		*policyOf(rule(1, count(untagged, 1)), rule(1, age(anyImage, 1))):                                                                            "Duplicate priority in multiple rules.'",
		*policyOf(rule(1, count(untagged, 1)), rule(2, age(untagged, 1))):                                                                            "Only one rule can select Untagged images per storage class.'",
		*policyOf(rule(2, count(untagged, 1)), rule(1, age(anyImage, 1))):                                                                            "Rule for tagStatus=ANY must have the lowest priority per storage class.'",
		*policyOf(rule(2, count(prefix("a b"), 1)), rule(1, age(prefix("b a"), 1))):                                                                  "Duplicate tag prefixes in multiple rules.'",
		*policyOf(`{"rulePriority": 1, "selection": {` + age(anyImage, 1) + `}, "action": {"type": "transition", "targetStorageClass": "archive"}}`): "the archive storage class of ECR",
	} {
		_, err := h.PutLifecyclePolicy(as(t, account), &ecrapi.PutLifecyclePolicyRequest{RepositoryName: wire.Ptr("team/app"), LifecyclePolicyText: &text})
		wantError(t, err, want)
	}
	_, err := h.GetLifecyclePolicy(as(t, account), &ecrapi.GetLifecyclePolicyRequest{RepositoryName: wire.Ptr("team/app")})
	wantError(t, err, "Lifecycle policy does not exist for the repository with name 'team/app' in the registry with id '123456789012'")
	_, err = h.StartLifecyclePolicyPreview(as(t, account), &ecrapi.StartLifecyclePolicyPreviewRequest{RepositoryName: wire.Ptr("team/app")})
	wantError(t, err, "Lifecycle policy does not exist")
	_, err = h.GetLifecyclePolicyPreview(as(t, account), &ecrapi.GetLifecyclePolicyPreviewRequest{RepositoryName: wire.Ptr("team/app")})
	wantError(t, err, "Lifecycle policy preview does not exist")
}

// TestImagesExpire lets images expire, but none that an index needs.
func TestImagesExpire(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(nil)
	name, auth := wire.Ptr("team/app"), h.login(account)
	text := *policyOf(rule(2, age(prefix("v"), 10)), rule(1, count(untagged, 1)))
	put, err := h.PutLifecyclePolicy(as(t, account), &ecrapi.PutLifecyclePolicyRequest{RepositoryName: name, LifecyclePolicyText: &text})
	must(t, err)
	const normal = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}},` +
		`{"rulePriority":2,"selection":{"tagStatus":"tagged","tagPrefixList":["v"],"countType":"sinceImagePushed","countUnit":"days","countNumber":10},"action":{"type":"expire"}}]}`
	if *put.LifecyclePolicyText != normal {
		t.Errorf("the policy is %s", *put.LifecyclePolicyText)
	}
	evaluated := func() time.Time {
		t.Helper()
		out, err := h.GetLifecyclePolicy(as(t, account), &ecrapi.GetLifecyclePolicyRequest{RepositoryName: name})
		must(t, err)
		return *out.LastEvaluatedAt
	}
	if got := evaluated(); got.Unix() != 0 {
		t.Errorf("evaluated at %v", got)
	}
	old := h.push("v1")
	index, err := random.Index(100, 1, 3) // its images have no tags
	must(t, err)
	must(t, remote.WriteIndex(h.ref("team/app:list"), index, auth))
	base, err := remote.Get(h.ref("team/app:v1"), auth)
	must(t, err)
	signature, ok := mutate.Subject(someImage(t), base.Descriptor).(v1.Image)
	if !ok {
		t.Fatal("no signature")
	}
	must(t, remote.Write(h.ref("team/app:sha256-1.sig"), signature, auth)) // goes with v1
	loose := h.push()
	h.clock.Advance(time.Second)
	kept := h.push()
	review := func() []string {
		t.Helper()
		before := h.clock.Now()
		h.restart() // a start looks at every repository
		for !evaluated().Equal(before) {
			if t.Context().Err() != nil {
				t.Fatal("the policy was never applied")
			}
			time.Sleep(time.Millisecond)
		}
		var left []string
		for _, d := range h.images() {
			left = append(left, *d.ImageDigest)
		}
		return left
	}
	h.clock.Advance(time.Minute)
	left := review()
	if len(left) != 7 || slices.Contains(left, loose) || !slices.Contains(left, kept) || !slices.Contains(left, old) {
		t.Errorf("after a minute: %v", left)
	}
	h.clock.Advance(10 * day)
	if left = review(); len(left) != 5 || slices.Contains(left, old) {
		t.Errorf("after ten days: %v", left)
	}
	// Without the index its images are like others.
	must(t, func() error {
		_, err := h.BatchDeleteImage(as(t, account), &ecrapi.BatchDeleteImageRequest{RepositoryName: name, ImageIds: []ecrapi.ImageIdentifier{{ImageTag: wire.Ptr("list")}}})
		return err
	}())
	h.clock.Advance(time.Hour)
	if left = review(); len(left) != 1 || left[0] != kept {
		t.Errorf("without the index: %v", left)
	}
	_, err = h.DeleteLifecyclePolicy(as(t, account), &ecrapi.DeleteLifecyclePolicyRequest{RepositoryName: name})
	must(t, err)
	_, err = h.DeleteLifecyclePolicy(as(t, account), &ecrapi.DeleteLifecyclePolicyRequest{RepositoryName: name})
	wantError(t, err, "Lifecycle policy does not exist")
}

package ecr

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/gateway/schema"
	"github.com/butai-dev/butai/internal/wire"
)

// lifecyclePolicy is a repository's lifecycle policy, its rules by priority
// (Amazon ECR User Guide: Lifecycle policy properties).
type lifecyclePolicy struct {
	Rules []lifecycleRule `json:"rules"`
}

type lifecycleRule struct {
	Priority    int64            `json:"rulePriority"`
	Description string           `json:"description,omitempty"`
	Selection   lifecycleImages  `json:"selection"`
	Action      lifecycleOutcome `json:"action"`
}

// lifecycleImages says which images a rule is about, and which of those it
// marks.
type lifecycleImages struct {
	TagStatus      string   `json:"tagStatus"`
	TagPatternList []string `json:"tagPatternList,omitempty"`
	TagPrefixList  []string `json:"tagPrefixList,omitempty"`
	StorageClass   string   `json:"storageClass,omitempty"`
	CountType      string   `json:"countType"`
	CountUnit      string   `json:"countUnit,omitempty"`
	CountNumber    int64    `json:"countNumber"`
}

type lifecycleOutcome struct {
	Type               string `json:"type"`
	TargetStorageClass string `json:"targetStorageClass,omitempty"`
}

const (
	countMoreThan = "imageCountMoreThan"
	sincePushed   = "sinceImagePushed"
	// maxWildcards is the limit of each tag pattern.
	maxWildcards = 4
	// maxDays is as good as never, and a duration can hold it.
	maxDays = 100_000
)

//go:embed lifecyclepolicy.json
var lifecycleSchemaText string

// lifecycleSchema is what AWS checks policies with first, by the library whose
// wording package schema has.
var lifecycleSchema = sync.OnceValues(func() (*schema.Schema, error) {
	const at = "lifecycle:policy"
	models := schema.NewModels()
	if err := models.Add(at, lifecycleSchemaText); err != nil {
		return nil, err
	}
	return models.Compile(at)
})

// parseLifecycle reads a policy; the error is AWS's for one that is invalid, or
// says that it wants what butai lacks.
func parseLifecycle(text string) (*lifecyclePolicy, error) {
	s, err := lifecycleSchema()
	if err != nil {
		return nil, fmt.Errorf("schema of lifecycle policies: %w", err)
	}
	wrong, err := s.Validate([]byte(text))
	if err != nil {
		return nil, invalidLifecycle("Could not map policyString into LifecyclePolicy.")
	}
	if len(wrong) > 0 {
		return nil, invalidLifecycle(strings.Join(wrong, "\n") + "\n") // recorded: a line for each, ended
	}
	policy := &lifecyclePolicy{}
	if err := json.Unmarshal([]byte(text), policy); err != nil {
		return nil, invalidLifecycle("Could not map policyString into LifecyclePolicy.")
	}
	slices.SortFunc(policy.Rules, func(a, b lifecycleRule) int { return cmp.Compare(a.Priority, b.Priority) })
	if wrong := policy.wrong(); wrong != "" {
		return nil, invalidLifecycle(wrong)
	}
	for _, rule := range policy.Rules {
		if rule.Action.Type != "expire" || rule.Selection.StorageClass == "archive" || rule.Selection.CountType != countMoreThan && rule.Selection.CountType != sincePushed {
			return nil, wire.NotBuilt("the archive storage class of ECR; rules expire images, by imageCountMoreThan or sinceImagePushed")
		}
	}
	return policy, nil
}

func invalidLifecycle(reason string) error {
	return invalid("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: %s'", reason)
}

// text is the policy as AWS returns it: without white space, its rules in the
// order of their priorities.
func (p *lifecyclePolicy) text() (string, error) {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(p)
	return strings.TrimSuffix(out.String(), "\n"), err
}

// wrong is what a schema can't say, "" if nothing is. Rules are by priority.
func (p *lifecyclePolicy) wrong() string {
	untagged, prefixes := 0, map[string]bool{}
	for i, rule := range p.Rules {
		sel := rule.Selection
		lists := map[string][]string{"tagPatternList": sel.TagPatternList, "tagPrefixList": sel.TagPrefixList}
		if i > 0 && p.Rules[i-1].Priority == rule.Priority {
			return "Duplicate priority in multiple rules."
		}
		switch {
		case sel.TagStatus == "tagged" && sel.TagPatternList != nil && sel.TagPrefixList != nil:
			return "If policy has a tagged rule, it must specify only one of tagPrefixList or tagPatternList."
		case sel.TagStatus == "tagged" && sel.TagPatternList == nil && sel.TagPrefixList == nil:
			return "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED."
		case sel.TagStatus == "any" && i < len(p.Rules)-1:
			return "Rule for tagStatus=ANY must have the lowest priority per storage class."
		case sel.TagStatus == "untagged":
			untagged++
		}
		if untagged > 1 {
			return "Only one rule can select Untagged images per storage class."
		}
		for _, name := range []string{"tagPatternList", "tagPrefixList"} {
			if sel.TagStatus != "tagged" && lists[name] != nil {
				return fmt.Sprintf("Cannot specify %s with tagStatus=%s.", name, strings.ToUpper(sel.TagStatus))
			}
		}
		if slices.ContainsFunc(sel.TagPatternList, func(pattern string) bool { return strings.Count(pattern, "*") > maxWildcards }) {
			return "Invalid tag pattern provided."
		}
		if sel.TagPrefixList != nil {
			set := strings.Join(slices.Sorted(slices.Values(sel.TagPrefixList)), "\x00")
			if prefixes[set] {
				return "Duplicate tag prefixes in multiple rules." // the User Guide wants them unique; AWS's wording isn't known
			}
			prefixes[set] = true
		}
	}
	return ""
}

// candidate is an image as rules see it.
type candidate struct {
	digest string
	tags   []string
	pushed time.Time
	kept   bool // a rule can't mark it: an index names it
}

// evaluate returns the rule by which each image expires. images are those of
// the repository, in any order (User Guide: Lifecycle policy evaluation rules):
// all rules see all images, and an image that a rule is about is safe from
// those of lower priority.
func (p *lifecyclePolicy) evaluate(images []candidate, now time.Time) map[string]*lifecycleRule {
	youngest := slices.Clone(images)
	slices.SortStableFunc(youngest, func(a, b candidate) int { return b.pushed.Compare(a.pushed) })
	marked, claimed := map[string]*lifecycleRule{}, map[string]bool{}
	for i := range p.Rules {
		rule := &p.Rules[i]
		sel, count := &rule.Selection, int64(0)
		var about []string
		for _, image := range youngest {
			if !sel.isAbout(image.tags) {
				continue
			}
			count++
			about = append(about, image.digest)
			expires := count > sel.CountNumber
			if sel.CountType == sincePushed {
				expires = now.Sub(image.pushed) > time.Duration(min(sel.CountNumber, maxDays))*24*time.Hour
			}
			if expires && !claimed[image.digest] && !image.kept {
				marked[image.digest] = rule
			}
		}
		for _, digest := range about {
			claimed[digest] = true
		}
	}
	return marked
}

// isAbout tells whether an image with the given tags meets what a rule says of
// tags. With several patterns or prefixes, each must match a tag.
func (s *lifecycleImages) isAbout(tags []string) bool {
	switch s.TagStatus {
	case "untagged":
		return len(tags) == 0
	case "any":
		return true
	}
	for _, prefix := range s.TagPrefixList {
		if !slices.ContainsFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, prefix) }) {
			return false
		}
	}
	for _, pattern := range s.TagPatternList {
		if !slices.ContainsFunc(tags, func(tag string) bool { return fits(pattern, tag) }) {
			return false
		}
	}
	return len(tags) > 0
}

// fits tells whether a text fits a pattern, whose asterisks stand for anything.
func fits(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return text == pattern
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[last])
}

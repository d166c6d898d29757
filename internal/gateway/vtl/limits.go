package vtl

import (
	"errors"
	"time"
)

const (
	// MaxRounds is how often the body of one #foreach may run (developer
	// guide, "Amazon API Gateway quotas": iterations in a #foreach loop).
	MaxRounds = 1000
	// MaxOutput is the largest output in bytes, API Gateway's payload size.
	MaxOutput = 10 << 20

	// maxTemplate is the longest source in bytes that is compiled. API
	// Gateway's own quota, 300 KB, is for the control plane to enforce.
	maxTemplate = 1 << 20
	// maxNesting bounds blocks and expressions inside each other.
	maxNesting = 100
	// maxMacroDepth is Velocity's velocimacro.max.depth.
	maxMacroDepth = 20
	// maxWork bounds the operations of one rendering, for nested loops whose
	// rounds multiply.
	maxWork = 2_000_000
	// maxItems bounds a list or map that a template builds.
	maxItems = 100_000
	// maxMatch bounds one match of a regular expression, and maxMatching all
	// of a rendering's.
	maxMatch    = 100 * time.Millisecond
	maxMatching = time.Second
)

var (
	errOutput = errors.New("output is larger than 10 MB")
	errWork   = errors.New("template does too much work")
	errRegex  = errors.New("regular expressions take too long")
	errItems  = errors.New("collection is too large")
	errDepth  = errors.New("template calls itself too deeply")
	errRounds = errors.New("#foreach runs more than 1,000 times")

	// errBreak and errStop unwind to where #break and #stop take effect.
	errBreak = errors.New("#break")
	errStop  = errors.New("#stop")
)

package lambda

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/go-json-experiment/json"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/wire"
)

// settings are the members that CreateFunction and UpdateFunctionConfiguration
// share; absent ones are left as they are.
type settings struct {
	Runtime, Role, Handler, Description *string
	Timeout, MemorySize                 *int64
	Environment                         *lambdaapi.Environment
	KMSKeyArn                           *string // "" takes the key away
	TracingConfig                       *lambdaapi.TracingConfig
	EphemeralStorage                    *lambdaapi.EphemeralStorage
	LoggingConfig                       *lambdaapi.LoggingConfig
	SnapStart                           *lambdaapi.SnapStart
	DeadLetterConfig                    *lambdaapi.DeadLetterConfig
	ImageConfig                         *lambdaapi.ImageConfig
}

// check checks the settings, those that depend on other rooms included. c is
// the configuration that they change or have made.
func (s *Service) check(ctx context.Context, in *settings, c *lambdaapi.FunctionConfiguration) error {
	if err := checkSettings(in); err != nil {
		return err
	}
	if in.Runtime != nil {
		if err := s.checkRuntime(ctx, *in.Runtime); err != nil {
			return err
		}
	}
	role := wire.Val(c.Role)
	if in.Role != nil {
		role = *in.Role
		if err := s.checkRole(ctx, role); err != nil {
			return err
		}
	}
	if err := checkSnapStart(in, c); err != nil {
		return err
	}
	return s.checkDeadLetters(ctx, role, in.DeadLetterConfig)
}

// checkDeadLetters checks the target of a DeadLetterConfig, if it has one.
func (s *Service) checkDeadLetters(ctx context.Context, role string, d *lambdaapi.DeadLetterConfig) error {
	if d == nil || wire.Val(d.TargetArn) == "" {
		return nil
	}
	switch serviceOf(*d.TargetArn) {
	case "sns":
		exists, may := s.Targets.Check(ctx, role, *d.TargetArn)
		if exists && may {
			return nil
		}
		return invalid("The provided execution role does not have permissions to call Publish on SNS")
	case "sqs":
		exists, may := s.Targets.Check(ctx, role, *d.TargetArn)
		if exists && may {
			return nil
		}
		return invalid("The provided execution role does not have permissions to call SendMessage on SQS")
	}
	return invalid("The target ARN %s is not valid: it must be that of an SQS queue or SNS topic.", *d.TargetArn)
}

// putInto sets what is set in a configuration.
func (in *settings) putInto(c *lambdaapi.FunctionConfiguration, region string) {
	if in.Runtime != nil {
		c.Runtime = in.Runtime
		c.RuntimeVersionConfig = &lambdaapi.RuntimeVersionConfig{RuntimeVersionArn: wire.Ptr(runtimes.VersionARN(region, *in.Runtime))}
	}
	if in.Environment != nil {
		c.Environment = &lambdaapi.EnvironmentResponse{Variables: in.Environment.Variables}
		if c.Environment.Variables == nil {
			c.Environment.Variables = map[string]string{}
		}
	}
	if in.KMSKeyArn != nil {
		if c.KMSKeyArn = in.KMSKeyArn; *in.KMSKeyArn == "" {
			c.KMSKeyArn = nil
		}
	}
	setImageConfig(c, in.ImageConfig)
	setIf(&c.Role, in.Role)
	setIf(&c.Handler, in.Handler)
	setIf(&c.Description, in.Description)
	setIf(&c.Timeout, in.Timeout)
	setIf(&c.MemorySize, in.MemorySize)
	setIf(&c.EphemeralStorage, in.EphemeralStorage)
	if in.SnapStart != nil && in.SnapStart.ApplyOn != nil {
		c.SnapStart = &lambdaapi.SnapStartResponse{ApplyOn: in.SnapStart.ApplyOn, OptimizationStatus: wire.Ptr(lambdaapi.SnapStartOptimizationStatusOff)}
	}
	if d := in.DeadLetterConfig; d != nil {
		if c.DeadLetterConfig = d; wire.Val(d.TargetArn) == "" {
			c.DeadLetterConfig = nil
		}
	}
	if in.TracingConfig != nil && in.TracingConfig.Mode != nil {
		c.TracingConfig = &lambdaapi.TracingConfigResponse{Mode: in.TracingConfig.Mode}
	}
	if in.LoggingConfig != nil {
		c.LoggingConfig = logging(c.LoggingConfig, in.LoggingConfig)
	}
}

// logging is a function's logging configuration after a change; the JSON
// format comes with log levels.
func logging(have, change *lambdaapi.LoggingConfig) *lambdaapi.LoggingConfig {
	l := &lambdaapi.LoggingConfig{LogFormat: have.LogFormat, LogGroup: have.LogGroup}
	setIf(&l.LogFormat, change.LogFormat)
	setIf(&l.LogGroup, change.LogGroup)
	if *l.LogFormat == lambdaapi.LogFormatJSON {
		l.ApplicationLogLevel, l.SystemLogLevel = wire.Ptr(lambdaapi.ApplicationLogLevelINFO), wire.Ptr(lambdaapi.SystemLogLevelINFO)
		setIf(&l.ApplicationLogLevel, have.ApplicationLogLevel)
		setIf(&l.SystemLogLevel, have.SystemLogLevel)
		setIf(&l.ApplicationLogLevel, change.ApplicationLogLevel)
		setIf(&l.SystemLogLevel, change.SystemLogLevel)
	}
	return l
}

func setIf[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// Limits of functions that run on demand; the model's are those of Lambda
// Managed Instances, which butai doesn't have ("Lambda quotas").
const (
	maxTimeout = 900
	maxMemory  = 10240
)

// checkSettings checks what the model's constraints don't.
func checkSettings(in *settings) error {
	if t := wire.Val(in.Timeout); t > maxTimeout {
		return tooHigh("timeout", t, maxTimeout)
	}
	if m := wire.Val(in.MemorySize); m > maxMemory {
		return tooHigh("memorySize", m, maxMemory)
	}
	if l := in.LoggingConfig; l != nil {
		if wire.Val(l.SystemLogLevel) == lambdaapi.SystemLogLevelDEBUG {
			return wire.NotBuilt("the system log level DEBUG of Lambda functions; INFO and WARN are")
		}
		if wire.Val(l.LogFormat) == lambdaapi.LogFormatText && (l.ApplicationLogLevel != nil || l.SystemLogLevel != nil) {
			return invalid("Log levels can be set for the log format JSON only.")
		}
	}
	if in.Environment != nil {
		return checkEnvironment(in.Environment.Variables)
	}
	return nil
}

func tooHigh(member string, value, limit int64) error {
	return wire.Errorf("ValidationException", "%s", violation(member, strconv.FormatInt(value, 10),
		"Member must have value less than or equal to "+strconv.FormatInt(limit, 10)))
}

// reservedKeys can't be set by functions ("Working with Lambda environment
// variables": defined runtime environment variables). TZ is among them in old
// editions of the guide only.
var reservedKeys = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

// maxEnvironment is the limit of all variables together, as compact JSON.
const maxEnvironment = 4096

func checkEnvironment(variables map[string]string) error {
	var taken []string
	for name := range variables {
		if slices.Contains(reservedKeys, name) {
			taken = append(taken, name)
		}
	}
	if len(taken) > 0 {
		slices.Sort(taken)
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(taken, ", "))
	}
	text, err := measured(variables)
	if err != nil {
		return invalid("Environment variables must be valid UTF-8.")
	}
	if len(text) > maxEnvironment {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: %s", text)
	}
	return nil
}

// measured is the JSON of the variables, whose length is limited. They come in
// the order of a Java HashMap, which gives the recorded text. The request's own
// order would too, but is lost here.
func measured(variables map[string]string) (string, error) {
	buckets := uint32(16)
	for len(variables)*4 > int(buckets)*3 {
		buckets *= 2
	}
	bucket := func(name string) uint32 {
		var hash uint32
		for _, unit := range utf16.Encode([]rune(name)) {
			hash = 31*hash + uint32(unit)
		}
		return (hash ^ hash>>16) % buckets
	}
	names := slices.SortedFunc(maps.Keys(variables), func(a, b string) int {
		return cmp.Or(cmp.Compare(bucket(a), bucket(b)), cmp.Compare(a, b))
	})
	members := make([]string, len(names))
	for i, name := range names {
		member, err := json.Marshal(map[string]string{name: variables[name]})
		if err != nil {
			return "", err
		}
		members[i] = string(member[1 : len(member)-1])
	}
	return "{" + strings.Join(members, ",") + "}", nil
}

// currentRuntimes is what AWS's front end takes, in the order in which its
// error lists them (recorded 2025-11).
const currentRuntimes = "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java17, nodejs16.x, java25, dotnet8, python3.10, java11, python3.11, dotnet6, java21, nodejs18.x, provided.al2, ruby3.3, ruby3.4, java8.al2, ruby3.2, python3.8, python3.9"

// checkRuntime refuses runtimes that AWS doesn't know, that AWS no longer
// takes, and that nothing on this machine can run. Runtimes that butai runs
// are taken even if AWS has retired them: python2.7 is one.
func (s *Service) checkRuntime(ctx context.Context, runtime string) error {
	_, err := s.Runtimes.Lookup(ctx, runtime)
	if err == nil {
		return nil
	}
	if _, missing := errors.AsType[*runtimes.MissingError](err); missing {
		return invalid("%s", err)
	}
	if _, unknown := errors.AsType[*runtimes.UnknownError](err); !unknown {
		return err
	}
	switch {
	case slices.Contains(strings.Split(currentRuntimes, ", "), runtime):
		return wire.NotBuilt("the Lambda runtime %s", runtime)
	case knownRuntime(runtime):
		return invalid("The runtime parameter of %s is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.", runtime)
	}
	return invalid("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN", runtime, currentRuntimes)
}

// knownRuntime reports whether the model lists the runtime.
func knownRuntime(runtime string) bool {
	return slices.Contains(lambdaapi.Service.Schema.Enum("Runtime"), runtime)
}

// lambdaPrincipal is the service that assumes functions' roles.
const lambdaPrincipal = "lambda.amazonaws.com"

func (s *Service) checkRole(ctx context.Context, role string) error {
	a, err := arn.Parse(role)
	if err != nil {
		return invalid("The role defined for the function cannot be assumed by Lambda.")
	}
	if a.Account != wire.CallerFrom(ctx).Account {
		return accessDenied("Cross-account pass role is not allowed.")
	}
	if !s.Roles.Assumable(role, lambdaPrincipal) {
		return invalid("The role defined for the function cannot be assumed by Lambda.")
	}
	return nil
}

func hexDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

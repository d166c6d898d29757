package lambda

import (
	"context"
	"unicode/utf8"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxNameLength is the longest name; the model's limit is that of an ARN.
const maxNameLength = 64

// CreateFunction makes a function.
func (s *Service) CreateFunction(ctx context.Context, in *lambdaapi.CreateFunctionRequest) (*lambdaapi.FunctionConfiguration, error) {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(r.name) > maxNameLength {
		return nil, invalid("%s", violation("functionName", *in.FunctionName, "Member must have length less than or equal to 64"))
	}
	if err := s.checkPackage(in); err != nil {
		return nil, err
	}
	if wire.Val(in.PackageType) == lambdaapi.PackageTypeImage {
		defer s.holdImages()() // until the function holds its own
	}
	latest, err := s.firstVersion(ctx, r, in)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	var answer *versionRecord
	err = s.update(ctx, r.id, func(tx store.Tx) error {
		have, err := functions.Get(tx, r.key()...)
		if err != nil {
			return err
		}
		if have != nil {
			return conflict("Function already exist: %s", r.name)
		}
		signing := wire.Val(in.CodeSigningConfigArn)
		if err := checkSigned(ctx, tx, signing); err != nil {
			return err
		}
		f := &functionRecord{Latest: *latest, Tags: in.Tags, Signing: signing}
		settled(&f.Latest.Config)
		answer = &f.Latest
		if wire.Val(in.Publish) {
			if answer, err = publishVersion(tx, r.id, f, nil); err != nil {
				return err
			}
		}
		return functions.Put(tx, f, r.key()...)
	})
	if err != nil {
		return nil, err
	}
	return s.revealed(ctx, r.id, pending(answer, r.arn())), nil
}

// firstVersion is $LATEST of a new function. Its code and layers are on the disk
// when it returns.
func (s *Service) firstVersion(ctx context.Context, r ref, in *lambdaapi.CreateFunctionRequest) (*versionRecord, error) {
	config, err := s.newConfig(ctx, r, in)
	if err != nil {
		return nil, err
	}
	from := &source{ZipFile: in.Code.ZipFile, Bucket: in.Code.S3Bucket, Key: in.Code.S3Key, Version: in.Code.S3ObjectVersion}
	if isImage(config) {
		from.Image = in.Code.ImageUri
	}
	code, err := s.keep(ctx, from, false)
	if err != nil {
		return nil, err
	}
	config.LastModified = s.lastModified()
	latest := &versionRecord{Config: *config, SpecID: ident.UUID()}
	code.putInto(latest)
	layers, err := s.attach(ctx, in.Layers)
	if err != nil {
		return nil, err
	}
	layers.putInto(latest)
	return latest, s.checkSize(latest)
}

// newConfig is the configuration of a new function, with AWS's defaults.
func (s *Service) newConfig(ctx context.Context, r ref, in *lambdaapi.CreateFunctionRequest) (*lambdaapi.FunctionConfiguration, error) {
	c := &lambdaapi.FunctionConfiguration{
		FunctionName: &r.name, FunctionArn: wire.Ptr(r.arn()), Version: wire.Ptr(catalog.Latest),
		Description: wire.Ptr(""), Timeout: wire.Ptr(int64(3)), MemorySize: wire.Ptr(int64(128)),
		PackageType: wire.Ptr(lambdaapi.PackageTypeZip), Architectures: []string{lambdaapi.ArchitectureX8664},
		EphemeralStorage: &lambdaapi.EphemeralStorage{Size: wire.Ptr(int64(512))},
		TracingConfig:    &lambdaapi.TracingConfigResponse{Mode: wire.Ptr(lambdaapi.TracingModePassThrough)},
		LoggingConfig:    &lambdaapi.LoggingConfig{LogFormat: wire.Ptr(lambdaapi.LogFormatText), LogGroup: wire.Ptr("/aws/lambda/" + r.name)},
		SnapStart: &lambdaapi.SnapStartResponse{
			ApplyOn: wire.Ptr(lambdaapi.SnapStartApplyOnNone), OptimizationStatus: wire.Ptr(lambdaapi.SnapStartOptimizationStatusOff)},
	}
	setIf(&c.PackageType, in.PackageType)
	if in.Architectures != nil {
		c.Architectures = in.Architectures
	}
	set := &settings{
		Runtime: in.Runtime, Role: in.Role, Handler: in.Handler, Description: in.Description, Timeout: in.Timeout,
		MemorySize: in.MemorySize, Environment: in.Environment, KMSKeyArn: in.KMSKeyArn, TracingConfig: in.TracingConfig,
		EphemeralStorage: in.EphemeralStorage, LoggingConfig: in.LoggingConfig, SnapStart: in.SnapStart,
		DeadLetterConfig: in.DeadLetterConfig, ImageConfig: in.ImageConfig,
	}
	set.putInto(c, r.region)
	if err := s.check(ctx, set, c); err != nil {
		return nil, err
	}
	return c, s.seal(ctx, r.arn(), c)
}

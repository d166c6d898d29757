package lambda

import (
	"context"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// UpdateFunctionCode replaces the code of $LATEST, and publishes a version if
// asked to.
func (s *Service) UpdateFunctionCode(ctx context.Context, in *lambdaapi.UpdateFunctionCodeRequest) (*lambdaapi.FunctionConfiguration, error) {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	from := &source{ZipFile: in.ZipFile, Bucket: in.S3Bucket, Key: in.S3Key, Version: in.S3ObjectVersion, Image: in.ImageUri}
	if err := s.mayReplaceCode(ctx, r, from); err != nil {
		return nil, err
	}
	if from.Image != nil {
		defer s.holdImages()()
	}
	code, err := s.keep(ctx, from, wire.Val(in.DryRun))
	if err != nil {
		return nil, err
	}
	modified := s.lastModified()
	change := func(f *functionRecord) error {
		if err := checkRevision(in.RevisionId, f.Latest.Config.RevisionId, functionCalls); err != nil {
			return err
		}
		// It may have become another function meanwhile.
		if err := checkSource(f, from); err != nil {
			return err
		}
		c := &f.Latest.Config
		code.putInto(&f.Latest)
		c.LastModified = modified
		if in.Architectures != nil {
			c.Architectures = in.Architectures
		}
		renew(f)
		return s.checkSize(&f.Latest)
	}
	if wire.Val(in.DryRun) {
		return s.dryRun(ctx, r, change)
	}
	var answer *lambdaapi.FunctionConfiguration
	err = s.edit(ctx, r.id, func(tx store.Tx, f *functionRecord) error {
		if err := change(f); err != nil {
			return err
		}
		answer = inProgress(&f.Latest, r.arn())
		if !wire.Val(in.Publish) {
			return nil
		}
		v, err := publishVersion(tx, r.id, f, nil)
		if err == nil {
			answer = pending(v, r.arn()+":"+*v.Config.Version)
		}
		return err
	})
	return s.revealed(ctx, r.id, answer), err
}

// mayReplaceCode checks what can be told before the code is fetched.
func (s *Service) mayReplaceCode(ctx context.Context, r ref, from *source) error {
	return s.Store.View(ctx, func(tx store.ReadTx) error {
		f, err := get(tx, r.id, r.arn())
		if err != nil {
			return err
		}
		if err := checkSource(f, from); err != nil {
			return err
		}
		return checkSigned(ctx, tx, f.Signing)
	})
}

// checkSource checks that a function's new code comes as its old one did.
func checkSource(f *functionRecord, from *source) error {
	archive := len(from.ZipFile) > 0 || from.Bucket != nil || from.Key != nil || from.Version != nil
	switch image := isImage(&f.Latest.Config); {
	case image && (from.Image == nil || archive):
		return invalid("Please provide ImageUri when updating a function with packageType Image.")
	case !image && from.Image != nil:
		return invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
	}
	return nil
}

// functionCalls tell a function's present RevisionId.
const functionCalls = "GetFunction/GetAlias"

// renew marks $LATEST as changed: sandboxes of its old form end.
func renew(f *functionRecord) {
	f.Latest.SpecID = ident.UUID()
	settled(&f.Latest.Config)
}

// dryRun answers with what an update would give, and changes nothing.
func (s *Service) dryRun(ctx context.Context, r ref, change func(*functionRecord) error) (out *lambdaapi.FunctionConfiguration, err error) {
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		f, err := get(tx, r.id, r.arn())
		if err != nil {
			return err
		}
		present := f.Latest.Config.RevisionId
		if err := change(f); err != nil {
			return err
		}
		out = shown(&f.Latest, r.arn())
		out.RevisionId = present
		return nil
	})
	return s.revealed(ctx, r.id, out), err
}

// UpdateFunctionConfiguration changes the settings of $LATEST.
func (s *Service) UpdateFunctionConfiguration(ctx context.Context, in *lambdaapi.UpdateFunctionConfigurationRequest) (*lambdaapi.FunctionConfiguration, error) {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	set := &settings{
		Runtime: in.Runtime, Role: in.Role, Handler: in.Handler, Description: in.Description, Timeout: in.Timeout,
		MemorySize: in.MemorySize, Environment: in.Environment, KMSKeyArn: in.KMSKeyArn, TracingConfig: in.TracingConfig,
		EphemeralStorage: in.EphemeralStorage, LoggingConfig: in.LoggingConfig, SnapStart: in.SnapStart,
		DeadLetterConfig: in.DeadLetterConfig, ImageConfig: in.ImageConfig,
	}
	_, _, v, err := s.view(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := checkForm(in, &v.Config); err != nil {
		return nil, err
	}
	// Checked outside of the transaction: it may look at the file system.
	if err := s.check(ctx, set, &v.Config); err != nil {
		return nil, err
	}
	layers, err := s.attach(ctx, in.Layers)
	if err != nil {
		return nil, err
	}
	rekeyed, err := s.rekeyed(ctx, r.id, set, &v.Config)
	if err != nil {
		return nil, err
	}
	modified := s.lastModified()
	var answer *lambdaapi.FunctionConfiguration
	err = s.edit(ctx, r.id, func(_ store.Tx, f *functionRecord) error {
		if err := checkRevision(in.RevisionId, f.Latest.Config.RevisionId, functionCalls); err != nil {
			return err
		}
		set.putInto(&f.Latest.Config, r.region)
		if rekeyed != nil {
			f.Latest.Config.Environment = rekeyed.Environment
		}
		f.Latest.Config.LastModified = modified
		layers.putInto(&f.Latest)
		renew(f)
		answer = inProgress(&f.Latest, r.arn())
		return s.checkSize(&f.Latest)
	})
	return s.revealed(ctx, r.id, answer), err
}

// checkForm checks that a function is only given settings that its package type
// has.
func checkForm(in *lambdaapi.UpdateFunctionConfigurationRequest, c *lambdaapi.FunctionConfiguration) error {
	if isImage(c) {
		if err := noImageMembers(in.Runtime, in.Handler, in.Layers); err != nil {
			return err
		}
		return checkImageSnapStart(in.SnapStart)
	}
	if in.ImageConfig != nil { // AWS's text isn't known
		return invalid("Please don't provide ImageConfig when updating a function with packageType Zip.")
	}
	return nil
}

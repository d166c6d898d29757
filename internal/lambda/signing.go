package lambda

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// signingRecord is a code signing configuration.
type signingRecord struct {
	Config lambdaapi.CodeSigningConfig
	Tags   map[string]string `json:",omitzero"`
}

// signings are found by account, region and id.
var signings = record.New[signingRecord]("lambda", "signing")

const signingID = "csc-"

// signingKey finds the record of a configuration's ARN, which the model has
// checked.
func signingKey(ctx context.Context, signingARN string) []string {
	c := wire.CallerFrom(ctx)
	return []string{c.Account, c.Region, signingARN[strings.LastIndexByte(signingARN, ':')+1:]}
}

// noSigning has no Type, unlike the other errors of its kind (recorded).
func noSigning(signingARN string) error {
	return &lambdaapi.ResourceNotFoundException{Message: wire.Ptr("The Lambda code signing configuration " + signingARN + " can not be found.")}
}

// getSigning reads a configuration that must exist.
func getSigning(ctx context.Context, r store.ReadTx, signingARN string) (*signingRecord, error) {
	rec, err := signings.Get(r, signingKey(ctx, signingARN)...)
	if err == nil && (rec == nil || *rec.Config.CodeSigningConfigArn != signingARN) {
		err = noSigning(signingARN)
	}
	return rec, err
}

// CreateCodeSigningConfig makes a configuration. There is no AWS Signer, so
// none of its publishers can have signed anything: code for a function with
// the policy Enforce is refused, and with Warn it is taken.
func (s *Service) CreateCodeSigningConfig(ctx context.Context, in *lambdaapi.CreateCodeSigningConfigRequest) (*lambdaapi.CreateCodeSigningConfigResponse, error) {
	c := wire.CallerFrom(ctx)
	id := signingID + ident.Lower(17)
	rec := &signingRecord{Tags: in.Tags, Config: lambdaapi.CodeSigningConfig{
		CodeSigningConfigId: &id, CodeSigningConfigArn: wire.Ptr("arn:aws:lambda:" + c.Region + ":" + c.Account + ":" + signingResource + id),
		Description: wire.Ptr(wire.Val(in.Description)), AllowedPublishers: in.AllowedPublishers, LastModified: s.lastModified(),
		CodeSigningPolicies: &lambdaapi.CodeSigningPolicies{UntrustedArtifactOnDeployment: wire.Ptr(lambdaapi.CodeSigningPolicyWarn)},
	}}
	if in.CodeSigningPolicies != nil {
		rec.Config.CodeSigningPolicies = in.CodeSigningPolicies
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	err := s.Store.Update(ctx, func(tx store.Tx) error { return signings.Put(tx, rec, c.Account, c.Region, id) })
	if err != nil {
		return nil, err
	}
	return &lambdaapi.CreateCodeSigningConfigResponse{CodeSigningConfig: &rec.Config}, nil
}

// GetCodeSigningConfig returns a configuration.
func (s *Service) GetCodeSigningConfig(ctx context.Context, in *lambdaapi.GetCodeSigningConfigRequest) (*lambdaapi.GetCodeSigningConfigResponse, error) {
	var rec *signingRecord
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		rec, err = getSigning(ctx, r, *in.CodeSigningConfigArn)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &lambdaapi.GetCodeSigningConfigResponse{CodeSigningConfig: &rec.Config}, nil
}

// UpdateCodeSigningConfig changes those settings that the request has.
func (s *Service) UpdateCodeSigningConfig(ctx context.Context, in *lambdaapi.UpdateCodeSigningConfigRequest) (*lambdaapi.UpdateCodeSigningConfigResponse, error) {
	modified := s.lastModified()
	var rec *signingRecord
	err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
		if rec, err = getSigning(ctx, tx, *in.CodeSigningConfigArn); err != nil {
			return err
		}
		setIf(&rec.Config.Description, in.Description)
		setIf(&rec.Config.AllowedPublishers, in.AllowedPublishers)
		setIf(&rec.Config.CodeSigningPolicies, in.CodeSigningPolicies)
		rec.Config.LastModified = modified
		return signings.Put(tx, rec, signingKey(ctx, *in.CodeSigningConfigArn)...)
	})
	if err != nil {
		return nil, err
	}
	return &lambdaapi.UpdateCodeSigningConfigResponse{CodeSigningConfig: &rec.Config}, nil
}

// DeleteCodeSigningConfig deletes a configuration that no function has.
func (s *Service) DeleteCodeSigningConfig(ctx context.Context, in *lambdaapi.DeleteCodeSigningConfigRequest) (*lambdaapi.DeleteCodeSigningConfigResponse, error) {
	c := wire.CallerFrom(ctx)
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := getSigning(ctx, tx, *in.CodeSigningConfigArn); err != nil {
			return err
		}
		for f, err := range functions.All(tx, c.Account, c.Region) {
			if err != nil {
				return err
			}
			if f.Signing == *in.CodeSigningConfigArn {
				return conflict("The code signing configuration cannot be deleted because it is in use by one or more functions.")
			}
		}
		return signings.Delete(tx, signingKey(ctx, *in.CodeSigningConfigArn)...)
	})
	return &lambdaapi.DeleteCodeSigningConfigResponse{}, err
}

// ListCodeSigningConfigs lists the caller's configurations.
func (s *Service) ListCodeSigningConfigs(ctx context.Context, in *lambdaapi.ListCodeSigningConfigsRequest) (*lambdaapi.ListCodeSigningConfigsResponse, error) {
	c := wire.CallerFrom(ctx)
	var found []lambdaapi.CodeSigningConfig
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		found = nil
		for rec, err := range signings.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			found = append(found, rec.Config)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListCodeSigningConfigsResponse{}
	out.CodeSigningConfigs, out.NextMarker, err = page(found, in.Marker, in.MaxItems)
	return out, err
}

// ListFunctionsByCodeSigningConfig lists the functions that have a configuration.
func (s *Service) ListFunctionsByCodeSigningConfig(ctx context.Context, in *lambdaapi.ListFunctionsByCodeSigningConfigRequest) (*lambdaapi.ListFunctionsByCodeSigningConfigResponse, error) {
	c := wire.CallerFrom(ctx)
	var found []string
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		found = nil
		if _, err := getSigning(ctx, r, *in.CodeSigningConfigArn); err != nil {
			return err
		}
		for f, err := range functions.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			if f.Signing == *in.CodeSigningConfigArn {
				found = append(found, *f.Latest.Config.FunctionArn)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListFunctionsByCodeSigningConfigResponse{}
	out.FunctionArns, out.NextMarker, err = page(found, in.Marker, in.MaxItems)
	return out, err
}

// PutFunctionCodeSigningConfig gives a function a configuration, for the code
// that it gets from then on.
func (s *Service) PutFunctionCodeSigningConfig(ctx context.Context, in *lambdaapi.PutFunctionCodeSigningConfigRequest) (*lambdaapi.PutFunctionCodeSigningConfigResponse, error) {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	err = s.update(ctx, r.id, func(tx store.Tx) error {
		// A missing configuration shows before a missing function (recorded).
		if _, err := getSigning(ctx, tx, *in.CodeSigningConfigArn); err != nil {
			return unknownSigning(err, *in.CodeSigningConfigArn)
		}
		f, err := get(tx, r.id, r.arn())
		if err != nil {
			return err
		}
		if isImage(&f.Latest.Config) {
			return invalid("%s", noSigningOfImages)
		}
		f.Signing = *in.CodeSigningConfigArn
		return functions.Put(tx, f, r.key()...)
	})
	if err != nil {
		return nil, err
	}
	return &lambdaapi.PutFunctionCodeSigningConfigResponse{CodeSigningConfigArn: in.CodeSigningConfigArn, FunctionName: &r.name}, nil
}

// unknownSigning words a missing configuration as calls about functions do.
func unknownSigning(err error, signingARN string) error {
	if !permanent(err) {
		return err
	}
	return &lambdaapi.CodeSigningConfigNotFoundException{Type: &user, Message: wire.Ptr(
		"The code signing configuration cannot be found. Check that the provided configuration is not deleted: " + signingARN + ".")}
}

// DeleteFunctionCodeSigningConfig takes a function's configuration away.
func (s *Service) DeleteFunctionCodeSigningConfig(ctx context.Context, in *lambdaapi.DeleteFunctionCodeSigningConfigRequest) error {
	r, err := unqualified(ctx, in.FunctionName, "")
	if err != nil {
		return err
	}
	return s.edit(ctx, r.id, func(_ store.Tx, f *functionRecord) error {
		f.Signing = ""
		return nil
	})
}

// GetFunctionCodeSigningConfig returns a function's configuration, if it has
// one. Terraform asks for it after every change.
func (s *Service) GetFunctionCodeSigningConfig(ctx context.Context, in *lambdaapi.GetFunctionCodeSigningConfigRequest) (*lambdaapi.GetFunctionCodeSigningConfigResponse, error) {
	r, f, _, err := s.view(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if isImage(&f.Latest.Config) {
		return nil, invalid("%s", noSigningOfImages)
	}
	if f.Signing == "" {
		return &lambdaapi.GetFunctionCodeSigningConfigResponse{}, nil // without the name: recorded
	}
	return &lambdaapi.GetFunctionCodeSigningConfigResponse{FunctionName: &r.name, CodeSigningConfigArn: &f.Signing}, nil
}

// checkSigned refuses code, which can't be signed, for a function whose
// configuration enforces signatures.
func checkSigned(ctx context.Context, r store.ReadTx, signingARN string) error {
	if signingARN == "" {
		return nil
	}
	rec, err := getSigning(ctx, r, signingARN)
	if err != nil {
		return unknownSigning(err, signingARN)
	}
	if wire.Val(rec.Config.CodeSigningPolicies.UntrustedArtifactOnDeployment) != lambdaapi.CodeSigningPolicyEnforce {
		return nil
	}
	return &lambdaapi.CodeVerificationFailedException{Type: &user, Message: wire.Ptr(
		"The code signature failed one or more of the validation checks for signature mismatch or expiry, and the code signing policy is set to ENFORCE. Lambda blocks the deployment.")}
}

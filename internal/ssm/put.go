package ssm

import (
	"context"
	"errors"
	"strings"

	"github.com/dlclark/regexp2/v2"

	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	accountKey     = "alias/aws/ssm" // encrypts secure strings that name no key
	dataTypeText   = "text"
	maxStandard    = 4096 // characters of a value
	maxAdvanced    = 8192
	maxVersions    = 100 // that are kept of a parameter
	advancedRemark = " For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
)

// PutParameter makes a parameter, or a new version of one. What a new version
// leaves out it has from the one before.
func (s *Service) PutParameter(ctx context.Context, in *ssmapi.PutParameterRequest) (*ssmapi.PutParameterResult, error) {
	overwrite := wire.Val(in.Overwrite)
	if err := checkPut(in, overwrite); err != nil {
		return nil, err
	}
	c := wire.CallerFrom(ctx)
	p := &parameterRecord{Account: c.Account, Region: c.Region, Name: *in.Name}
	before, err := s.latest(ctx, p)
	switch {
	case err != nil:
		return nil, err
	case before != nil && !overwrite:
		return nil, alreadyExists()
	case before == nil && in.Type == nil:
		return nil, invalid("A parameter type is required when you create a parameter.")
	}
	v, err := s.newVersion(ctx, in, before)
	if err != nil {
		return nil, err
	}
	if v.Type == ssmapi.ParameterTypeSecureString {
		if v.Value, err = s.Keys.Encrypt(ctx, v.Key, v.Value, about(p)); err != nil {
			return nil, ofKMS(err)
		}
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error { return p.put(tx, v, in.Tags, overwrite) })
	if err != nil {
		return nil, err
	}
	return &ssmapi.PutParameterResult{Version: &v.Version, Tier: &v.Tier}, nil
}

func alreadyExists() error {
	return &ssmapi.ParameterAlreadyExists{Message: wire.Ptr("The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")}
}

// about is the encryption context of a secure string (User Guide: "How AWS
// Systems Manager Parameter Store uses AWS KMS").
func about(p *parameterRecord) map[string]string {
	return map[string]string{"PARAMETER_ARN": p.arn()}
}

func checkPut(in *ssmapi.PutParameterRequest, overwrite bool) error {
	if overwrite && len(in.Tags) > 0 {
		return invalid("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	}
	if err := checkNewName(*in.Name); err != nil {
		return err
	}
	if *in.Value == "" {
		return invalid("1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.")
	}
	switch dataType := wire.Val(in.DataType); dataType {
	case "", dataTypeText:
	case "aws:ec2:image", "aws:ssm:integration":
		return wire.NotBuilt("parameters of the data type %s: there is no EC2 or Systems Manager to check them against", dataType)
	default:
		return invalid("The following data type is not supported: %s (Data type names are all lowercase.)", dataType)
	}
	return nil
}

// latest reads the version that is to be replaced; nil for a new parameter.
func (s *Service) latest(ctx context.Context, p *parameterRecord) (v *versionRecord, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		v = nil
		have, err := parameters.Get(r, p.key()...)
		if err != nil || have == nil {
			return err
		}
		p.Name = have.Name // its ARN is what secure strings are bound to
		v, err = have.version(r, have.Latest)
		return err
	})
	return v, err
}

// newVersion is what a request makes; its value isn't encrypted yet.
func (s *Service) newVersion(ctx context.Context, in *ssmapi.PutParameterRequest, before *versionRecord) (*versionRecord, error) {
	v := &versionRecord{Tier: ssmapi.ParameterTierStandard, DataType: dataTypeText}
	if before != nil {
		*v = *before
	}
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&v.Type, in.Type)
	set(&v.Description, in.Description)
	set(&v.AllowedPattern, in.AllowedPattern)
	set(&v.DataType, in.DataType)
	v.Value, v.Modified, v.User = []byte(*in.Value), s.now(), wire.CallerFrom(ctx).ARN
	switch {
	case v.Type == ssmapi.ParameterTypeSecureString:
		if set(&v.Key, in.KeyId); v.Key == "" {
			v.Key = accountKey
		}
	case in.KeyId != nil:
		return nil, invalid("KeyId is required for SecureString type parameter only.")
	default:
		v.Key = ""
	}
	if err := v.setTier(in.Tier, len([]rune(*in.Value))); err != nil {
		return nil, err
	}
	return v, v.checkPattern(*in.Value)
}

// setTier finds the tier of a value of so many characters.
func (v *versionRecord) setTier(wanted *string, length int) error {
	advanced := v.Tier == ssmapi.ParameterTierAdvanced
	switch wire.Val(wanted) {
	case ssmapi.ParameterTierStandard:
		if advanced {
			return invalid("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.")
		}
	case ssmapi.ParameterTierAdvanced:
		advanced = true
	case ssmapi.ParameterTierIntelligentTiering:
		advanced = advanced || length > maxStandard
	}
	switch {
	case advanced && length > maxAdvanced:
		return invalid("Advanced tier parameters support a maximum parameter value of %d characters.%s", maxAdvanced, advancedRemark)
	case !advanced && length > maxStandard:
		return invalid("Standard tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.%s", maxStandard, advancedRemark)
	case advanced:
		v.Tier = ssmapi.ParameterTierAdvanced
	}
	return nil
}

// checkPattern holds a value, or each item of a list, to the pattern.
func (v *versionRecord) checkPattern(value string) error {
	if v.AllowedPattern == "" {
		return nil
	}
	re, err := regexp2.Compile(`\A(?:`+v.AllowedPattern+`)\z`, regexp2.None)
	if err != nil {
		return &ssmapi.InvalidAllowedPatternException{Message: wire.Ptr("The request does not meet the regular expression requirement: " + v.AllowedPattern)}
	}
	items := []string{value}
	if v.Type == ssmapi.ParameterTypeStringList {
		items = strings.Split(value, ",")
	}
	for _, item := range items {
		if ok, err := re.MatchString(item); err != nil || !ok {
			return &ssmapi.ParameterPatternMismatchException{Message: wire.Ptr("Parameter value, cannot be validated against allowedPattern: " + v.AllowedPattern)}
		}
	}
	return nil
}

// put stores a version as the latest one, and its parameter if that is new.
func (p *parameterRecord) put(tx store.Tx, v *versionRecord, tags []ssmapi.Tag, overwrite bool) error {
	have, err := parameters.Get(tx, p.key()...)
	if err != nil {
		return err
	}
	switch {
	case have == nil:
		have = &parameterRecord{Account: p.Account, Region: p.Region, Name: p.Name, Oldest: 1}
		if err := have.tag(tags); err != nil {
			return err
		}
	case !overwrite:
		return alreadyExists()
	}
	have.Latest++
	v.Version = have.Latest
	if have.Latest-have.Oldest >= maxVersions {
		if labels := have.labelsOf(have.Oldest); len(labels) > 0 {
			return &ssmapi.ParameterMaxVersionLimitExceeded{Message: wire.Ptr("You attempted to create a new version of " + p.Name +
				" by calling the PutParameter API with the overwrite flag. Version " + strings.TrimLeft(versionKey(have.Oldest), "0") +
				", the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.")}
		}
		if err := history.Delete(tx, have.key(versionKey(have.Oldest))...); err != nil {
			return err
		}
		have.Oldest++
	}
	return errors.Join(parameters.Put(tx, have, have.key()...), history.Put(tx, v, have.key(versionKey(v.Version))...))
}

// DeleteParameter deletes a parameter with its versions.
func (s *Service) DeleteParameter(ctx context.Context, in *ssmapi.DeleteParameterRequest) (*ssmapi.DeleteParameterResult, error) {
	done, err := s.delete(ctx, *in.Name)
	if err == nil && !done {
		err = notFound()
	}
	return &ssmapi.DeleteParameterResult{}, err
}

// DeleteParameters deletes those of several parameters that there are.
func (s *Service) DeleteParameters(ctx context.Context, in *ssmapi.DeleteParametersRequest) (*ssmapi.DeleteParametersResult, error) {
	out := &ssmapi.DeleteParametersResult{DeletedParameters: []string{}, InvalidParameters: []string{}}
	for _, name := range in.Names {
		done, err := s.delete(ctx, name)
		if err != nil {
			return nil, err
		}
		if done {
			out.DeletedParameters = append(out.DeletedParameters, name)
		} else {
			out.InvalidParameters = append(out.InvalidParameters, name)
		}
	}
	return out, nil
}

func (s *Service) delete(ctx context.Context, name string) (done bool, err error) {
	ref, err := parse(ctx, name)
	if err != nil {
		return false, err
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		p, err := find(ctx, tx, ref)
		if done = p != nil && ref.selector == ""; err != nil || !done {
			return err
		}
		return errors.Join(parameters.Delete(tx, p.key()...), history.DeleteAll(tx, p.key()...))
	})
	return done, err
}

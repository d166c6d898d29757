package logs

import (
	"context"
	"errors"
	"strings"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Keys are the keys of KMS that log groups have.
type Keys interface {
	// Use reports whether the context's caller may do the actions, such as
	// "GenerateDataKey", with a key under an encryption context, and returns the
	// key's ARN. An id or alias means a key of the account. What KMS refuses is a
	// *wire.Error with its code, worded as services pass it on.
	Use(ctx context.Context, account, key string, about map[string]string, actions ...string) (keyARN string, err error)
}

// use reports whether CloudWatch Logs itself may encrypt and decrypt a group's
// events with a key, which the key's policy must say.
func (s *Service) use(ctx context.Context, keyARN, groupARN string) error {
	c := wire.CallerFrom(ctx)
	principal := "logs." + c.Region + ".amazonaws.com"
	ctx = wire.WithCaller(ctx, &wire.Caller{
		Account: c.Account, Region: c.Region, ARN: principal, Service: principal, SourceARN: groupARN, SourceAccount: c.Account,
	})
	_, err := s.Keys.Use(ctx, c.Account, keyARN, map[string]string{"aws:logs:arn": groupARN}, "GenerateDataKey", "Decrypt")
	return keyError(err, groupARN)
}

// checkKey refuses a key that a group can't have (User Guide: "Encrypt log data
// in CloudWatch Logs using AWS Key Management Service").
func (s *Service) checkKey(ctx context.Context, keyARN, groupARN string) error {
	a, err := arn.Parse(keyARN)
	if err != nil || a.Service != "kms" || !strings.HasPrefix(a.Resource, "key/") {
		return invalid("The specified KMS Key Id could not be found.")
	}
	return s.use(ctx, keyARN, groupARN)
}

// keyError is the error of CloudWatch Logs for one of KMS's: it tells keys that
// can't be used by anybody from those that aren't open to it.
func keyError(err error, groupARN string) error {
	refused, ok := errors.AsType[*wire.Error](err)
	switch {
	case !ok:
		return err
	case refused.Code == "AccessDeniedException", refused.Code == "NotFoundException":
		return &logsapi.AccessDeniedException{
			Message: wire.Ptr("The specified KMS key does not exist or is not allowed to be used with Arn '" + groupARN + "'"),
		}
	}
	return invalid(refused.Message)
}

// readable refuses events that were encrypted with keys that CloudWatch Logs
// can't use any more. AWS doesn't document that error; it is the one of making
// groups here.
func (s *Service) readable(ctx context.Context, groupARN string, used map[string]bool) error {
	for keyARN := range used {
		if err := s.use(ctx, keyARN, groupARN); err != nil {
			return err
		}
	}
	return nil
}

// AssociateKmsKey has a group's events encrypted with a key from now on.
func (s *Service) AssociateKmsKey(ctx context.Context, in *logsapi.AssociateKmsKeyRequest) error {
	name, err := keyedGroup(in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return err
	}
	p := placeOf(ctx)
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		_, err := getGroup(r, p, name)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.checkKey(ctx, *in.KmsKeyId, p.plainARN(name)); err != nil {
		return err
	}
	return s.setKey(ctx, name, *in.KmsKeyId)
}

// DisassociateKmsKey ends that. Events keep the key that they came with.
func (s *Service) DisassociateKmsKey(ctx context.Context, in *logsapi.DisassociateKmsKeyRequest) error {
	name, err := keyedGroup(in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return err
	}
	return s.setKey(ctx, name, "")
}

// setKey sets a group's key for what is put from now on.
func (s *Service) setKey(ctx context.Context, name, keyARN string) error {
	if err := s.Flush(ctx); err != nil {
		return err
	}
	return s.editGroup(ctx, name, func(g *group) error {
		g.Key = keyARN
		return nil
	})
}

// keyedGroup is the name of the group whose key is set.
func keyedGroup(name, identifier *string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", invalid("LogGroup name and resource identifier are mutually exclusive parameters.")
	case name != nil:
		return *name, nil
	case identifier == nil:
		return "", invalid("Either LogGroup name or resource identifier must be specified.")
	case strings.Contains(*identifier, ":query-result:"):
		return "", wire.NotBuilt("stored results of queries of CloudWatch Logs")
	}
	return taggedGroup(*identifier)
}

// plainARN is a group's ARN as keys know it: without :* at its end.
func (p place) plainARN(name string) string { return p.arn("log-group:" + name) }

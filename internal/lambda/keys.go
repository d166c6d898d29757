package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/wire"
)

// Keys encrypts functions' variables with keys of KMS. Errors are KMS's.
type Keys interface {
	// Seal encrypts a text of a function as the context's caller, and lets the
	// function's role decrypt it.
	Seal(ctx context.Context, key, role, functionARN string, text []byte) ([]byte, error)
	// Open decrypts what Seal made, as the context's caller or as the role, if
	// one is named.
	Open(ctx context.Context, role, functionARN string, sealed []byte) ([]byte, error)
}

// Variables that are encrypted are kept as one without a name, which no
// variable can have: their ciphertext.
const sealedName = ""

// sealed is the ciphertext of a configuration's variables; nil if they aren't
// encrypted.
func sealed(c *lambdaapi.FunctionConfiguration) []byte {
	if c.Environment == nil {
		return nil
	}
	text, ok := c.Environment.Variables[sealedName]
	if !ok {
		return nil
	}
	blob, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil // can't happen: seal wrote it
	}
	return blob
}

// seal encrypts the variables of a configuration, if it names a key.
func (s *Service) seal(ctx context.Context, functionARN string, c *lambdaapi.FunctionConfiguration) error {
	if wire.Val(c.KMSKeyArn) == "" || c.Environment == nil || len(c.Environment.Variables) == 0 {
		return nil
	}
	text, err := json.Marshal(c.Environment.Variables)
	if err != nil {
		return err
	}
	blob, err := s.Keys.Seal(ctx, *c.KMSKeyArn, *c.Role, functionARN, text)
	if err != nil {
		code, _, _, message := wire.ErrorFacts(err)
		return invalid("Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant. "+
			"Please check your KMS key settings. KMS Exception: %sKMS Message: %s", code, message)
	}
	c.Environment = &lambdaapi.EnvironmentResponse{Variables: map[string]string{sealedName: base64.StdEncoding.EncodeToString(blob)}}
	return nil
}

// unsealed are the variables of a configuration, decrypted as the context's
// caller or as the role.
func (s *Service) unsealed(ctx context.Context, role, functionARN string, c *lambdaapi.FunctionConfiguration) (map[string]string, error) {
	blob := sealed(c)
	if blob == nil {
		if c.Environment == nil {
			return nil, nil
		}
		return c.Environment.Variables, nil
	}
	text, err := s.Keys.Open(ctx, role, functionARN, blob)
	if err != nil {
		return nil, err
	}
	var variables map[string]string
	return variables, json.Unmarshal(text, &variables)
}

// revealed shows a configuration to a caller: with the variables, or why they
// can't be shown.
func (s *Service) revealed(ctx context.Context, i id, c *lambdaapi.FunctionConfiguration) *lambdaapi.FunctionConfiguration {
	if c == nil || sealed(c) == nil {
		return c
	}
	out := *c
	variables, err := s.unsealed(ctx, "", i.arn(), c)
	out.Environment = &lambdaapi.EnvironmentResponse{Variables: variables}
	if err != nil {
		code, _, _, message := wire.ErrorFacts(err)
		out.Environment.Error = &lambdaapi.EnvironmentError{ErrorCode: &code, Message: wire.Ptr(
			"Lambda was unable to decrypt your environment variables because the KMS access was denied. Please check your KMS permissions. " +
				"KMS Exception: " + code + "KMS Message: " + message)}
	}
	return &out
}

// opener decrypts a version's variables whenever a sandbox of it starts; nil
// if they aren't encrypted.
func (s *Service) opener(i id, c *lambdaapi.FunctionConfiguration) func(context.Context) (map[string]string, error) {
	if sealed(c) == nil {
		return nil
	}
	return func(ctx context.Context) (map[string]string, error) {
		variables, err := s.unsealed(ctx, *c.Role, i.arn(), c)
		if err != nil {
			return nil, undecryptable(err)
		}
		return variables, nil
	}
}

// undecryptable is the failure of a call whose function's variables can't be
// decrypted. The texts of the denial are recorded, the others after it and the
// model's documentation.
func undecryptable(err error) error {
	code, _, _, message := wire.ErrorFacts(err)
	kind, why := "KMSAccessDeniedException", "KMS access was denied"
	switch code {
	case "DisabledException":
		kind, why = "KMSDisabledException", "the KMS key used is disabled"
	case "KMSInvalidStateException":
		kind, why = "KMSInvalidStateException", "the state of the KMS key used is not valid for Decrypt"
	case "NotFoundException":
		kind, why = "KMSNotFoundException", "the KMS key was not found"
	}
	return &function.VariablesError{Code: kind, Message: "Lambda was unable to decrypt the environment variables because " + why +
		". Please check the function's KMS key settings. KMS Exception: " + code + "KMS Message: " + message}
}

// rekeyed are the variables and key of a function after an update, encrypted
// anew if anything that they depend on changes: nil if nothing does.
func (s *Service) rekeyed(ctx context.Context, i id, set *settings, have *lambdaapi.FunctionConfiguration) (*lambdaapi.FunctionConfiguration, error) {
	if set.Environment == nil && set.KMSKeyArn == nil && (set.Role == nil || sealed(have) == nil) {
		return nil, nil
	}
	next := *have
	variables, err := map[string]string(nil), error(nil)
	if set.Environment == nil {
		if variables, err = s.unsealed(ctx, "", i.arn(), have); err != nil {
			code, _, _, message := wire.ErrorFacts(err)
			return nil, invalid("Lambda was unable to decrypt your environment variables because the KMS access was denied. Please check your KMS permissions. "+
				"KMS Exception: %sKMS Message: %s", code, message)
		}
		if have.Environment != nil {
			next.Environment = &lambdaapi.EnvironmentResponse{Variables: variables}
		}
	}
	set.putInto(&next, i.region)
	return &next, s.seal(ctx, i.arn(), &next)
}

package kms

import (
	"context"
	"crypto"
	"crypto/hmac"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/wire"
)

var macHashes = map[string]crypto.Hash{
	kmsapi.MacAlgorithmSpecHMACSHA224: crypto.SHA224, kmsapi.MacAlgorithmSpecHMACSHA256: crypto.SHA256,
	kmsapi.MacAlgorithmSpecHMACSHA384: crypto.SHA384, kmsapi.MacAlgorithmSpecHMACSHA512: crypto.SHA512,
}

// mac is the HMAC of a message under the key that a request names.
func (s *Service) mac(ctx context.Context, keyID, operation, algorithm string, message []byte) (*key, []byte, error) {
	k, err := s.forUse(ctx, keyID, macs, operation)
	if err != nil {
		return nil, nil, err
	}
	if err := k.takes(specs[k.Spec].mac, algorithm); err != nil {
		return nil, nil, err
	}
	sum := hmac.New(macHashes[algorithm].New, k.current().Secret)
	sum.Write(message)
	return k, sum.Sum(nil), nil
}

// GenerateMac authenticates a message.
func (s *Service) GenerateMac(ctx context.Context, in *kmsapi.GenerateMacRequest) (*kmsapi.GenerateMacResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	k, sum, err := s.mac(ctx, *in.KeyId, "GenerateMac", *in.MacAlgorithm, in.Message)
	if err != nil {
		return nil, err
	}
	return &kmsapi.GenerateMacResponse{Mac: sum, MacAlgorithm: in.MacAlgorithm, KeyId: wire.Ptr(k.arn())}, dryRun(in.DryRun)
}

// VerifyMac checks what GenerateMac made; a wrong one is an error.
func (s *Service) VerifyMac(ctx context.Context, in *kmsapi.VerifyMacRequest) (*kmsapi.VerifyMacResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	k, sum, err := s.mac(ctx, *in.KeyId, "VerifyMac", *in.MacAlgorithm, in.Message)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(sum, in.Mac) {
		return nil, &kmsapi.KMSInvalidMacException{}
	}
	return &kmsapi.VerifyMacResponse{KeyId: wire.Ptr(k.arn()), MacValid: wire.Ptr(true), MacAlgorithm: in.MacAlgorithm}, dryRun(in.DryRun)
}

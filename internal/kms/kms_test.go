package kms_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/kms"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

// anybody allows everything: who may do what is tested over the wire.
type anybody struct{}

func (anybody) Authorize(context.Context, *wire.Caller, wire.IAMTarget) string { return "" }
func (anybody) RoleMay(string, string, wire.IAMTarget) string                  { return "" }
func (anybody) Exists(string) bool                                             { return true }

func open(t *testing.T) (*kms.Service, *clock.Fake, context.Context) {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	now := clock.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	c := &wire.Caller{Account: "111122223333", Region: "us-east-1", ARN: "arn:aws:iam::111122223333:root"}
	return kms.New(kms.Config{Store: st, Clock: now, Authorizer: anybody{}}), now, wire.WithCaller(t.Context(), c)
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// refused checks an error's code and message.
func refused(t *testing.T, err error, wantCode, wantMessage string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %s: %s", wantCode, wantMessage)
		return
	}
	if code, _, _, message := wire.ErrorFacts(err); code != wantCode || message != wantMessage {
		t.Errorf("%s: %q, want %s: %q", code, message, wantCode, wantMessage)
	}
}

func newKey(t *testing.T, s *kms.Service, ctx context.Context, in *kmsapi.CreateKeyRequest) *kmsapi.KeyMetadata {
	t.Helper()
	return must[*kmsapi.CreateKeyResponse](t)(s.CreateKey(ctx, in)).KeyMetadata
}

func TestCiphertextsAreBoundToKeyAndContext(t *testing.T) {
	t.Parallel()
	s, _, ctx := open(t)
	k, other := newKey(t, s, ctx, &kmsapi.CreateKeyRequest{}), newKey(t, s, ctx, &kmsapi.CreateKeyRequest{})
	about := map[string]string{"a": "1", "b": "2"}
	sealed := must[*kmsapi.EncryptResponse](t)(s.Encrypt(ctx, &kmsapi.EncryptRequest{KeyId: k.Arn, Plaintext: []byte("hello"), EncryptionContext: about})).CiphertextBlob
	got := must[*kmsapi.DecryptResponse](t)(s.Decrypt(ctx, &kmsapi.DecryptRequest{CiphertextBlob: sealed, EncryptionContext: about}))
	if string(got.Plaintext) != "hello" || *got.KeyId != *k.Arn {
		t.Errorf("decrypted %q by %s", got.Plaintext, *got.KeyId)
	}
	for i := range sealed {
		broken := bytes.Clone(sealed)
		broken[i] ^= 1
		if _, err := s.Decrypt(ctx, &kmsapi.DecryptRequest{CiphertextBlob: broken, EncryptionContext: about}); err == nil {
			t.Errorf("a ciphertext with another byte %d opens", i)
		}
	}
	// Recorded from AWS 2023-05: a wrong context gets an empty message.
	_, err := s.Decrypt(ctx, &kmsapi.DecryptRequest{CiphertextBlob: sealed, EncryptionContext: map[string]string{"a": "12", "b": ""}})
	refused(t, err, "InvalidCiphertextException", "")
	_, err = s.Decrypt(ctx, &kmsapi.DecryptRequest{CiphertextBlob: sealed, EncryptionContext: about, KeyId: other.KeyId})
	refused(t, err, "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
}

func TestStatesOfAKey(t *testing.T) {
	t.Parallel()
	s, now, ctx := open(t)
	k := newKey(t, s, ctx, &kmsapi.CreateKeyRequest{})
	encrypt := func() error {
		_, err := s.Encrypt(ctx, &kmsapi.EncryptRequest{KeyId: k.KeyId, Plaintext: []byte("x")})
		return err
	}
	name := "alias/app"
	if err := s.CreateAlias(ctx, &kmsapi.CreateAliasRequest{AliasName: &name, TargetKeyId: k.KeyId}); err != nil {
		t.Fatal(err)
	}
	if err := s.DisableKey(ctx, &kmsapi.DisableKeyRequest{KeyId: k.KeyId}); err != nil {
		t.Fatal(err)
	}
	refused(t, encrypt(), "DisabledException", *k.Arn+" is disabled.")
	must[*kmsapi.ScheduleKeyDeletionResponse](t)(s.ScheduleKeyDeletion(ctx, &kmsapi.ScheduleKeyDeletionRequest{KeyId: k.KeyId, PendingWindowInDays: new(int64(7))}))
	refused(t, encrypt(), "KMSInvalidStateException", *k.Arn+" is pending deletion.")
	must[*kmsapi.CancelKeyDeletionResponse](t)(s.CancelKeyDeletion(ctx, &kmsapi.CancelKeyDeletionRequest{KeyId: k.KeyId}))
	refused(t, encrypt(), "DisabledException", *k.Arn+" is disabled.")
	must[*kmsapi.ScheduleKeyDeletionResponse](t)(s.ScheduleKeyDeletion(ctx, &kmsapi.ScheduleKeyDeletionRequest{KeyId: k.KeyId, PendingWindowInDays: new(int64(7))}))
	now.Advance(7 * 24 * time.Hour)
	refused(t, encrypt(), "NotFoundException", "Key '"+*k.Arn+"' does not exist")
	newKey(t, s, ctx, &kmsapi.CreateKeyRequest{}) // clears out
	_, err := s.DescribeKey(ctx, &kmsapi.DescribeKeyRequest{KeyId: &name})
	refused(t, err, "NotFoundException", "Alias arn:aws:kms:us-east-1:111122223333:alias/app is not found.")
}

func TestRotationKeepsOldCiphertextsReadable(t *testing.T) {
	t.Parallel()
	s, now, ctx := open(t)
	k := newKey(t, s, ctx, &kmsapi.CreateKeyRequest{})
	if err := s.EnableKeyRotation(ctx, &kmsapi.EnableKeyRotationRequest{KeyId: k.KeyId, RotationPeriodInDays: new(int64(90))}); err != nil {
		t.Fatal(err)
	}
	sealed := must[*kmsapi.EncryptResponse](t)(s.Encrypt(ctx, &kmsapi.EncryptRequest{KeyId: k.KeyId, Plaintext: []byte("old")})).CiphertextBlob
	now.Advance(181 * 24 * time.Hour)
	must[*kmsapi.RotateKeyOnDemandResponse](t)(s.RotateKeyOnDemand(ctx, &kmsapi.RotateKeyOnDemandRequest{KeyId: k.KeyId}))
	list := must[*kmsapi.ListKeyRotationsResponse](t)(s.ListKeyRotations(ctx, &kmsapi.ListKeyRotationsRequest{KeyId: k.KeyId})).Rotations
	if len(list) < 3 {
		t.Errorf("%d rotations, want two that were due and one on demand", len(list))
	}
	got := must[*kmsapi.DecryptResponse](t)(s.Decrypt(ctx, &kmsapi.DecryptRequest{CiphertextBlob: sealed}))
	if string(got.Plaintext) != "old" || *got.KeyMaterialId == *list[0].KeyMaterialId {
		t.Errorf("decrypted %q with the newest material", got.Plaintext)
	}
}

// TestReferences: the texts are recorded from AWS, 2023-04 to 2023-11.
func TestReferences(t *testing.T) {
	t.Parallel()
	s, _, ctx := open(t)
	for id, want := range map[string]string{
		"fake-key-id":                          "Invalid keyId 'fake-key-id'",
		"134f2428cec14b25a1ae9048164dba47":     "Invalid keyId '134f2428cec14b25a1ae9048164dba47'",
		"mrk-fake-key-id":                      "Invalid keyId 'mrk-fake-key-id'",
		"134f2428-cec1-4b25-a1ae-9048164dba47": "Key 'arn:aws:kms:us-east-1:111122223333:key/134f2428-cec1-4b25-a1ae-9048164dba47' does not exist",
		"arn:aws:kms:ap-southeast-1:111122223333:key/134f2428-cec1-4b25-a1ae-9048164dba47": "Invalid arn ap-southeast-1",
	} {
		_, err := s.DescribeKey(ctx, &kmsapi.DescribeKeyRequest{KeyId: &id})
		refused(t, err, "NotFoundException", want)
	}
}

// TestUsages: the texts are recorded from AWS, 2023-04.
func TestUsages(t *testing.T) {
	t.Parallel()
	s, _, ctx := open(t)
	hmac := newKey(t, s, ctx, &kmsapi.CreateKeyRequest{KeySpec: new("HMAC_256"), KeyUsage: new("GENERATE_VERIFY_MAC")})
	_, err := s.Sign(ctx, &kmsapi.SignRequest{KeyId: hmac.KeyId, Message: []byte("m"), SigningAlgorithm: new("ECDSA_SHA_256")})
	refused(t, err, "InvalidKeyUsageException", *hmac.Arn+" key usage is GENERATE_VERIFY_MAC which is not valid for Sign.")
	_, err = s.GenerateMac(ctx, &kmsapi.GenerateMacRequest{KeyId: hmac.KeyId, Message: []byte("m"), MacAlgorithm: new("HMAC_SHA_512")})
	refused(t, err, "InvalidKeyUsageException", "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.")
	mac := must[*kmsapi.GenerateMacResponse](t)(s.GenerateMac(ctx, &kmsapi.GenerateMacRequest{KeyId: hmac.KeyId, Message: []byte("m"), MacAlgorithm: new("HMAC_SHA_256")})).Mac
	_, err = s.VerifyMac(ctx, &kmsapi.VerifyMacRequest{KeyId: hmac.KeyId, Message: []byte("n"), Mac: mac, MacAlgorithm: new("HMAC_SHA_256")})
	refused(t, err, "KMSInvalidMacException", "")
	for spec, algorithm := range map[string]string{
		"RSA_2048": "RSASSA_PSS_SHA_256", "ECC_NIST_P384": "ECDSA_SHA_384", "ECC_NIST_EDWARDS25519": "ED25519_SHA_512",
	} {
		k := newKey(t, s, ctx, &kmsapi.CreateKeyRequest{KeySpec: &spec, KeyUsage: new("SIGN_VERIFY")})
		signature := must[*kmsapi.SignResponse](t)(s.Sign(ctx, &kmsapi.SignRequest{KeyId: k.KeyId, Message: []byte("m"), SigningAlgorithm: &algorithm})).Signature
		must[*kmsapi.VerifyResponse](t)(s.Verify(ctx, &kmsapi.VerifyRequest{KeyId: k.KeyId, Message: []byte("m"), Signature: signature, SigningAlgorithm: &algorithm}))
		_, err := s.Verify(ctx, &kmsapi.VerifyRequest{KeyId: k.KeyId, Message: []byte("n"), Signature: signature, SigningAlgorithm: &algorithm})
		refused(t, err, "KMSInvalidSignatureException", "")
	}
	_, err = s.CreateKey(ctx, &kmsapi.CreateKeyRequest{KeySpec: new("HMAC_256")})
	refused(t, err, "ValidationException", "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
}

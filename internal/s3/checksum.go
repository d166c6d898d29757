package s3

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/wire"
)

// checksum is an object's or a part's additional checksum (S3 User Guide,
// "Checking object integrity").
type checksum struct {
	Algorithm string
	Value     string // base64, with -N behind it for composite ones
	Type      string // FULL_OBJECT or COMPOSITE
}

// algorithm is a kind of checksum.
type algorithm struct {
	name string
	hash func() hash.Hash
	// full says that multipart uploads can have, and composite that they
	// have unless asked otherwise, that type of checksum.
	full, composite bool
}

// sums are the checksum members that many requests and answers have.
type sums struct{ crc32, crc32c, crc64nvme, sha1, sha256, sha512, md5 *string }

// of is the member of an algorithm.
func (s *sums) of(algorithm string) **string {
	switch algorithm {
	case s3api.ChecksumAlgorithmCRC32:
		return &s.crc32
	case s3api.ChecksumAlgorithmCRC32C:
		return &s.crc32c
	case s3api.ChecksumAlgorithmCRC64NVME:
		return &s.crc64nvme
	case s3api.ChecksumAlgorithmSHA1:
		return &s.sha1
	case s3api.ChecksumAlgorithmSHA256:
		return &s.sha256
	case s3api.ChecksumAlgorithmSHA512:
		return &s.sha512
	}
	return &s.md5
}

// defaultAlgorithm is what S3 adds when the client gave no checksum.
const defaultAlgorithm = s3api.ChecksumAlgorithmCRC64NVME

// crc64NVME is the polynomial of the NVM Express specification, reversed.
const crc64NVME = 0x9a6c9329ac4bc9b5

func algorithms() []algorithm {
	return []algorithm{
		{s3api.ChecksumAlgorithmCRC32, func() hash.Hash { return crc32.NewIEEE() }, true, true},
		{s3api.ChecksumAlgorithmCRC32C, func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }, true, true},
		{s3api.ChecksumAlgorithmCRC64NVME, func() hash.Hash { return crc64.New(crc64.MakeTable(crc64NVME)) }, true, false},
		{s3api.ChecksumAlgorithmSHA1, sha1.New, false, true},
		{s3api.ChecksumAlgorithmSHA256, sha256.New, false, true},
		{s3api.ChecksumAlgorithmSHA512, sha512.New, false, true},
		{s3api.ChecksumAlgorithmMD5, md5.New, false, true},
	}
}

func findAlgorithm(name string) (algorithm, error) {
	for _, a := range algorithms() {
		if a.name == name {
			return a, nil
		}
	}
	return algorithm{}, wire.NotBuilt("checksum algorithm %s", name)
}

func (a algorithm) sum(data []byte) string {
	h := a.hash()
	h.Write(data)
	return encodeSum(h)
}

// given finds the checksum that a request carries.
func (s sums) given() (a algorithm, value string) {
	for _, a := range algorithms() {
		if v := *s.of(a.name); v != nil {
			return a, *v
		}
	}
	return algorithm{}, ""
}

// sums are the members of an answer that shows the checksum.
func (c checksum) sums() (s sums) {
	if c.Value != "" {
		*s.of(c.Algorithm) = &c.Value
	}
	return s
}

// kind is the ChecksumType of an answer.
func (c checksum) kind() *string {
	if c.Type == "" {
		return nil
	}
	return &c.Type
}

// verify compares a body with the checksums that came with it and returns the
// one to keep: the client's, or otherwise one of the wanted algorithm.
func verify(client sums, body []byte, contentMD5, wanted *string) (checksum, error) {
	if contentMD5 != nil {
		want, err := base64.StdEncoding.DecodeString(*contentMD5)
		sum := md5.Sum(body)
		switch {
		case err != nil || len(want) != md5.Size:
			return checksum{}, failure(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified was invalid.")
		case !bytes.Equal(want, sum[:]):
			return checksum{}, failure(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
	}
	a, value := client.given()
	if value == "" {
		name := defaultAlgorithm
		if wanted != nil {
			name = *wanted
		}
		var err error
		if a, err = findAlgorithm(name); err != nil {
			return checksum{}, err
		}
		return checksum{a.name, a.sum(body), s3api.ChecksumTypeFULLOBJECT}, nil
	}
	raw, err := base64.StdEncoding.DecodeString(value)
	switch {
	case err != nil || len(raw) != a.hash().Size():
		return checksum{}, failure(http.StatusBadRequest, "InvalidRequest", "Value for x-amz-checksum-"+strings.ToLower(a.name)+" header is invalid.")
	case a.sum(body) != value:
		return checksum{}, failure(http.StatusBadRequest, "BadDigest", "The "+a.name+" you specified did not match the calculated checksum.")
	}
	return checksum{a.name, value, s3api.ChecksumTypeFULLOBJECT}, nil
}

// compose is the checksum of a multipart object from those of its parts.
func compose(a algorithm, sums []string) (checksum, error) {
	h := a.hash()
	for _, s := range sums {
		raw, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return checksum{}, err
		}
		h.Write(raw)
	}
	value := encodeSum(h) + "-" + strconv.Itoa(len(sums))
	return checksum{a.name, value, s3api.ChecksumTypeCOMPOSITE}, nil
}

func encodeSum(h hash.Hash) string { return base64.StdEncoding.EncodeToString(h.Sum(nil)) }

package lambda

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/lambda/bundle"
	"github.com/butai-dev/butai/internal/wire"
)

// maxZipped is the limit of an archive that travels in the request itself.
const maxZipped = 52428800

// source is where a request says the code is.
type source struct {
	ZipFile              []byte
	Bucket, Key, Version *string
	Image                *string // URI; nil for functions from archives
}

// fetch returns the archive that a request means.
func (s *Service) fetch(ctx context.Context, from *source) ([]byte, error) {
	fromS3 := from.Bucket != nil || from.Key != nil || from.Version != nil
	switch {
	case len(from.ZipFile) > 0 && fromS3:
		return nil, invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	case len(from.ZipFile) > maxZipped:
		return nil, tooLarge("Zipped size must be smaller than %d bytes", maxZipped)
	case len(from.ZipFile) > 0:
		return from.ZipFile, nil
	case from.Bucket == nil || from.Key == nil:
		return nil, invalid("Please provide a source for function code.")
	}
	archive, err := s.Objects.GetObject(ctx, wire.CallerFrom(ctx).Account, *from.Bucket, *from.Key, wire.Val(from.Version))
	if err == nil {
		return archive, nil
	}
	code, status, _, message := wire.ErrorFacts(err)
	if status >= 500 {
		return nil, err
	}
	return nil, invalid("Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", code, message)
}

// upload keeps the code that a request brings.
func (s *Service) upload(ctx context.Context, from *source) (*bundle.Code, error) {
	archive, err := s.fetch(ctx, from)
	if err != nil {
		return nil, err
	}
	code, err := s.code.Add(archive)
	return code, codeError(err)
}

// inspect does all of upload but keep the code, for dry runs.
func (s *Service) inspect(ctx context.Context, from *source) (*bundle.Code, error) {
	archive, err := s.fetch(ctx, from)
	if err != nil {
		return nil, err
	}
	if err := s.code.Check(archive); err != nil {
		return nil, codeError(err)
	}
	return &bundle.Code{SHA256: bundle.Hash(archive), Size: int64(len(archive))}, nil
}

func codeError(err error) error {
	switch {
	case errors.Is(err, bundle.ErrNotZip):
		return invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
	case errors.Is(err, bundle.ErrEmpty):
		return invalid("Uploaded file must be a non-empty zip")
	case errors.Is(err, bundle.ErrTooLarge):
		return invalid("Unzipped size must be smaller than %d bytes", bundle.MaxUnzipped)
	}
	return err
}

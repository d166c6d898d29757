package lambda

import (
	"context"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/lambda/image"
	"github.com/butai-dev/butai/internal/wire"
)

// Images finds container images. *image.Finder implements it.
type Images interface {
	// Parse reads an image's URI; the error is image.ErrAddress.
	Parse(uri string) (*image.Address, error)
	// Find returns the image at an address, or an error of package image that
	// says what is wrong with it.
	Find(ctx context.Context, at *image.Address) (v1.Image, error)
}

// imageRecord is the container image of a version; its digest is the version's
// CodeSha256.
type imageRecord struct {
	URI      string // as it was given
	Resolved string // with the digest
}

// isImage tells whether a configuration is that of a function from a container
// image.
func isImage(c *lambdaapi.FunctionConfiguration) bool {
	return wire.Val(c.PackageType) == lambdaapi.PackageTypeImage
}

// noImageMembers refuses what functions from images don't have, in the words of
// CreateFunction.
func noImageMembers(runtime, handler *string, layers []string) error {
	if runtime != nil || handler != nil || len(layers) > 0 {
		return invalid("Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
	}
	return nil
}

// checkPackage checks that a request to create a function has what its package
// type takes, and nothing else.
func (s *Service) checkPackage(in *lambdaapi.CreateFunctionRequest) error {
	if wire.Val(in.PackageType) != lambdaapi.PackageTypeImage {
		switch {
		case in.Runtime == nil || in.Handler == nil:
			return invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
		case in.ImageConfig != nil: // AWS's text isn't known
			return invalid("Please don't provide ImageConfig when the intended function PackageType is Zip.")
		}
		return nil
	}
	if err := noImageMembers(in.Runtime, in.Handler, in.Layers); err != nil {
		return err
	}
	code := in.Code
	switch {
	case code.ImageUri == nil || len(code.ZipFile) > 0 || code.S3Bucket != nil || code.S3Key != nil || code.S3ObjectVersion != nil: // AWS's text isn't known
		return invalid("Please provide ImageUri, and no other source, when the intended function PackageType is Image.")
	case wire.Val(in.CodeSigningConfigArn) != "":
		return invalid("%s", noSigningOfImages)
	}
	if err := s.Engine.RunsImages(); err != nil {
		return wire.NotBuilt("Lambda functions from container images on a host that can't give them a file system of their own; see butai doctor")
	}
	return checkImageSnapStart(in.SnapStart)
}

const noSigningOfImages = "Code signing is not supported for functions created with container images."

// checkImageSnapStart refuses SnapStart, which images don't have.
func checkImageSnapStart(in *lambdaapi.SnapStart) error {
	if in != nil && wire.Val(in.ApplyOn) == lambdaapi.SnapStartApplyOnPublishedVersions {
		return invalid("ContainerImage is not supported for SnapStart enabled functions.")
	}
	return nil
}

// kept is a version's code, once it is here.
type kept struct {
	sha   string
	size  int64
	image *imageRecord // nil for code from an archive
}

// putInto makes it the code of a version.
func (k *kept) putInto(v *versionRecord) {
	v.Config.CodeSha256, v.Config.CodeSize, v.Image = &k.sha, &k.size, k.image
}

// keep takes in the code of a request, archive or image; a dry run keeps none.
func (s *Service) keep(ctx context.Context, from *source, dryRun bool) (*kept, error) {
	if from.Image != nil {
		return s.keepImage(ctx, *from.Image, dryRun)
	}
	upload := s.upload
	if dryRun {
		upload = s.inspect
	}
	code, err := upload(ctx, from)
	if err != nil {
		return nil, err
	}
	return &kept{sha: code.SHA256, size: code.Size}, nil
}

func (s *Service) keepImage(ctx context.Context, uri string, dryRun bool) (*kept, error) {
	at, err := s.Images.Parse(uri)
	if err != nil {
		return nil, s.imageError(uri, err)
	}
	if at.Region != "" && at.Region != wire.CallerFrom(ctx).Region {
		// Lambda takes images of its own region only ("Create a Lambda function
		// using a container image"); AWS's text isn't known.
		return nil, s.imageError(uri, image.ErrAddress)
	}
	found, err := s.Images.Find(ctx, at)
	if err != nil {
		return nil, s.imageError(uri, err)
	}
	digest, err := s.images.Check(found)
	if err == nil && !dryRun {
		_, err = s.images.Add(ctx, found)
	}
	if err != nil {
		return nil, s.imageError(uri, err)
	}
	return &kept{sha: digest, image: &imageRecord{URI: uri, Resolved: at.Resolved(digest)}}, nil
}

// imageError words what is wrong with an image as AWS does. What AWS finds out
// only later, and shows as a function's state, is said at once.
func (s *Service) imageError(uri string, err error) error {
	switch {
	case errors.Is(err, image.ErrNotFound):
		return invalid("Source image %s does not exist. Provide a valid source image.", uri)
	case errors.Is(err, image.ErrAddress):
		return invalid("Source image %s is not valid. Provide a valid source image.", uri)
	case errors.Is(err, image.ErrDenied):
		return accessDenied("Lambda does not have permission to access the ECR image. Check the ECR permissions.")
	case errors.Is(err, image.ErrUnsupported):
		return invalid("The image manifest, config or layer media type for the source image %s is not supported.", uri)
	case errors.Is(err, image.ErrTooLarge):
		return invalid("SizeLimitExceeded: Uncompressed container image size exceeds 10 GiB limit")
	case errors.Is(err, image.ErrBroken):
		s.Log.Warn("an image can't be unpacked", "image", uri, "reason", err)
		return invalid("Source image %s is not valid. Provide a valid source image.", uri)
	}
	return err
}

// setImageConfig replaces the overrides of an image's settings; an empty set of
// them removes all.
func setImageConfig(c *lambdaapi.FunctionConfiguration, in *lambdaapi.ImageConfig) {
	if in == nil {
		return
	}
	set := &lambdaapi.ImageConfig{}
	if len(in.EntryPoint) > 0 {
		set.EntryPoint = in.EntryPoint
	}
	if len(in.Command) > 0 {
		set.Command = in.Command
	}
	if wire.Val(in.WorkingDirectory) != "" {
		set.WorkingDirectory = in.WorkingDirectory
	}
	c.ImageConfigResponse = nil
	if set.EntryPoint != nil || set.Command != nil || set.WorkingDirectory != nil {
		c.ImageConfigResponse = &lambdaapi.ImageConfigResponse{ImageConfig: set}
	}
}

// compileImage is what the engine runs of a version's image. Each setting is
// overridden by itself: another entry point still gets the image's command,
// other than in Docker.
func (s *Service) compileImage(c *lambdaapi.FunctionConfiguration) (*function.Image, error) {
	img, err := s.images.Get(*c.CodeSha256)
	if errors.Is(err, image.ErrNotFound) {
		s.Log.Error("the image of a function is missing from the image folder", "function", *c.FunctionName, "digest", *c.CodeSha256, "folder", s.ImageDir)
		return &function.Image{Root: "/nonexistent", Args: []string{"/nonexistent"}}, nil
	}
	if err != nil {
		return nil, err
	}
	entrypoint, command, dir := img.Entrypoint, img.Command, img.Dir
	if r := c.ImageConfigResponse; r != nil && r.ImageConfig != nil {
		if r.ImageConfig.EntryPoint != nil {
			entrypoint = r.ImageConfig.EntryPoint
		}
		if r.ImageConfig.Command != nil {
			command = r.ImageConfig.Command
		}
		if r.ImageConfig.WorkingDirectory != nil {
			dir = *r.ImageConfig.WorkingDirectory
		}
	}
	args := append(append([]string{}, entrypoint...), command...)
	return &function.Image{Root: img.Root, Args: args, Env: img.Env, Dir: dir}, nil
}

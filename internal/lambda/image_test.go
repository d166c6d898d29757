package lambda_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/lambda/image"
	"github.com/butai-dev/butai/internal/wire"
)

const repositoryURI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app"

// Parse implements lambda.Images.
func (*world) Parse(uri string) (*image.Address, error) { return image.ParseAddress(uri, "") }

// Find knows images by their tags.
func (*world) Find(_ context.Context, at *image.Address) (v1.Image, error) {
	switch tag := at.Reference.Identifier(); tag {
	case "closed":
		return nil, image.ErrDenied
	case "index":
		return nil, image.ErrUnsupported
	case "v1", "v2":
		return mutate.Config(empty.Image, v1.Config{
			Entrypoint: []string{"/" + tag}, Cmd: []string{"command"}, Env: []string{"A=b"}, WorkingDir: "/work",
		})
	}
	return nil, image.ErrNotFound
}

func digestOf(t *testing.T, tag string) string {
	t.Helper()
	at, err := image.ParseAddress(repositoryURI+":"+tag, "")
	if err != nil {
		t.Fatal(err)
	}
	img, err := new(world).Find(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.Hex
}

func imageRequest(uri string) *lambdaapi.CreateFunctionRequest {
	return &lambdaapi.CreateFunctionRequest{
		FunctionName: wire.Ptr("example"), Role: wire.Ptr(role), PackageType: wire.Ptr("Image"), Code: &lambdaapi.FunctionCode{ImageUri: &uri},
	}
}

// TestImageFunction holds answers to those recorded from AWS (LocalStack's
// snapshots of TestLambdaImages).
func TestImageFunction(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in := imageRequest(repositoryURI + ":v1")
	in.ImageConfig = &lambdaapi.ImageConfig{EntryPoint: []string{"sh"}, Command: []string{"-c", "echo test"}, WorkingDirectory: wire.Ptr("/app1")}
	c, err := h.CreateFunction(as(t), in)
	if err != nil {
		t.Fatal(err)
	}
	if *c.CodeSha256 != digestOf(t, "v1") || *c.CodeSize != 0 || *c.PackageType != "Image" || c.Runtime != nil || c.Handler != nil || c.RuntimeVersionConfig != nil {
		t.Errorf("created %+v", c)
	}
	if i := c.ImageConfigResponse.ImageConfig; *i.WorkingDirectory != "/app1" || i.EntryPoint[0] != "sh" || len(i.Command) != 2 {
		t.Errorf("its image configuration is %+v", i)
	}
	run := func() []string {
		t.Helper()
		if _, err := h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example")}); err != nil {
			t.Fatal(err)
		}
		i := h.engine.specs[len(h.engine.specs)-1].Image
		return append(append([]string{i.Dir}, i.Env...), i.Args...)
	}
	if got, want := run(), []string{"/app1", "A=b", "sh", "-c", "echo test"}; !slices.Equal(got, want) {
		t.Errorf("it runs %q, want %q", got, want)
	}

	update := func(config *lambdaapi.ImageConfig) *lambdaapi.FunctionConfiguration {
		t.Helper()
		c, err := h.UpdateFunctionConfiguration(as(t), &lambdaapi.UpdateFunctionConfigurationRequest{FunctionName: wire.Ptr("example"), ImageConfig: config})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := update(&lambdaapi.ImageConfig{Command: []string{"other"}}); c.ImageConfigResponse.ImageConfig.EntryPoint != nil {
		t.Errorf("the entry point was kept: %+v", c.ImageConfigResponse.ImageConfig)
	}
	if got, want := run(), []string{"/work", "A=b", "/v1", "other"}; !slices.Equal(got, want) {
		t.Errorf("it runs %q, want %q", got, want)
	}
	if c := update(&lambdaapi.ImageConfig{}); c.ImageConfigResponse != nil {
		t.Errorf("an empty configuration leaves %+v", c.ImageConfigResponse)
	}

	if _, err := h.PublishVersion(as(t), &lambdaapi.PublishVersionRequest{FunctionName: wire.Ptr("example"), CodeSha256: wire.Ptr(digestOf(t, "v1"))}); err != nil {
		t.Fatal(err)
	}
	dry, err := h.UpdateFunctionCode(as(t), &lambdaapi.UpdateFunctionCodeRequest{FunctionName: wire.Ptr("example"), ImageUri: wire.Ptr(repositoryURI + ":v2"), DryRun: wire.Ptr(true)})
	if err != nil || *dry.CodeSha256 != digestOf(t, "v2") {
		t.Errorf("dry run: %v, %v", dry, err)
	}
	if got := run(); got[2] != "/v1" {
		t.Errorf("after a dry run it runs %q", got)
	}
	if _, err := h.UpdateFunctionCode(as(t), &lambdaapi.UpdateFunctionCodeRequest{FunctionName: wire.Ptr("example"), ImageUri: wire.Ptr(repositoryURI + ":v2")}); err != nil {
		t.Fatal(err)
	}
	if got := run(); got[2] != "/v2" {
		t.Errorf("after an update it runs %q", got)
	}
	for qualifier, tag := range map[string]string{"$LATEST": "v2", "1": "v1"} {
		out, err := h.GetFunction(as(t), &lambdaapi.GetFunctionRequest{FunctionName: wire.Ptr("example"), Qualifier: &qualifier})
		if err != nil {
			t.Fatal(err)
		}
		if c := out.Code; *c.RepositoryType != "ECR" || *c.ImageUri != repositoryURI+":"+tag || *c.ResolvedImageUri != repositoryURI+"@sha256:"+digestOf(t, tag) || c.Location != nil {
			t.Errorf("%s: code is %+v", qualifier, c)
		}
	}
}

// TestUnusedImagesGo deletes what named images, and expects the images to go.
func TestUnusedImagesGo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	here := func() string {
		t.Helper()
		fine(t, h.Close(t.Context())) // waits for sweeps
		entries, err := os.ReadDir(h.dir + "/images/unpacked")
		fine(t, err)
		var tags []string
		for _, e := range entries {
			for _, tag := range []string{"v1", "v2"} {
				if e.Name() == digestOf(t, tag) {
					tags = append(tags, tag)
				}
			}
		}
		slices.Sort(tags)
		return strings.Join(tags, " ")
	}
	in := imageRequest(repositoryURI + ":v1")
	in.Publish = wire.Ptr(true)
	_, err := h.CreateFunction(as(t), in)
	fine(t, err)
	_, err = h.UpdateFunctionCode(as(t), &lambdaapi.UpdateFunctionCodeRequest{FunctionName: wire.Ptr("example"), ImageUri: wire.Ptr(repositoryURI + ":v2")})
	fine(t, err)
	if got := here(); got != "v1 v2" {
		t.Errorf("with a version: %s", got)
	}
	if _, err := h.CreateFunction(as(t), imageRequest(repositoryURI+":v1")); err == nil {
		t.Error("a second function of one name")
	}
	_, err = h.DeleteFunction(as(t), &lambdaapi.DeleteFunctionRequest{FunctionName: wire.Ptr("example"), Qualifier: wire.Ptr("1")})
	fine(t, err)
	if got := here(); got != "v2" {
		t.Errorf("without the version: %s", got)
	}
	_, err = h.DeleteFunction(as(t), &lambdaapi.DeleteFunctionRequest{FunctionName: wire.Ptr("example")})
	fine(t, err)
	if got := here(); got != "" {
		t.Errorf("without the function: %s", got)
	}
}

func fine(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestImageFunctionRefusals(t *testing.T) {
	t.Parallel()
	const bad = "InvalidParameterValueException: "
	h := newHouse(t)
	create := func(change func(*lambdaapi.CreateFunctionRequest)) func() error {
		return func() error {
			in := imageRequest(repositoryURI + ":v1")
			change(in)
			_, err := h.CreateFunction(as(t), in)
			return err
		}
	}
	uri := func(text string) func() error {
		return create(func(in *lambdaapi.CreateFunctionRequest) { in.Code.ImageUri = &text })
	}
	zip := func(in *lambdaapi.CreateFunctionRequest) {
		in.PackageType, in.Runtime, in.Handler = nil, wire.Ptr("python3.11"), wire.Ptr("main.handler")
	}
	for name, tt := range map[string]struct {
		do   func() error
		want string
	}{
		"missing":      {uri(repositoryURI + ":nope"), bad + "Source image " + repositoryURI + ":nope does not exist. Provide a valid source image."},
		"no tag":       {uri(repositoryURI), bad + "Source image " + repositoryURI + " is not valid. Provide a valid source image."},
		"docker hub":   {uri("alpine:3"), bad + "Source image alpine:3 is not valid. Provide a valid source image."},
		"other region": {uri("123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1"), bad + "Source image 123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1 is not valid. Provide a valid source image."},
		"closed":       {uri(repositoryURI + ":closed"), "AccessDeniedException: Lambda does not have permission to access the ECR image. Check the ECR permissions."},
		"index":        {uri(repositoryURI + ":index"), bad + "The image manifest, config or layer media type for the source image " + repositoryURI + ":index is not supported."},
		"handler": {create(func(in *lambdaapi.CreateFunctionRequest) { in.Handler = wire.Ptr("main.handler") }),
			bad + "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."},
		"layers": {create(func(in *lambdaapi.CreateFunctionRequest) {
			in.Layers = []string{"arn:aws:lambda:eu-west-1:123456789012:layer:x:1"}
		}),
			bad + "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."},
		"zip too": {create(func(in *lambdaapi.CreateFunctionRequest) { in.Code.ZipFile = []byte("PK") }),
			bad + "Please provide ImageUri, and no other source, when the intended function PackageType is Image."},
		"signing": {create(func(in *lambdaapi.CreateFunctionRequest) {
			in.CodeSigningConfigArn = wire.Ptr("arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0")
		}),
			bad + "Code signing is not supported for functions created with container images."},
		"snapstart": {create(func(in *lambdaapi.CreateFunctionRequest) {
			in.SnapStart = &lambdaapi.SnapStart{ApplyOn: wire.Ptr("PublishedVersions")}
		}),
			bad + "ContainerImage is not supported for SnapStart enabled functions."},
		"no package type": {create(func(in *lambdaapi.CreateFunctionRequest) { in.PackageType = nil }),
			bad + "Runtime and Handler are mandatory parameters for functions created with deployment packages."},
		"zip with an image only": {create(zip), bad + "Please provide a source for function code."},
		"image configuration of a zip": {create(func(in *lambdaapi.CreateFunctionRequest) {
			zip(in)
			in.ImageConfig = &lambdaapi.ImageConfig{}
		}), bad + "Please don't provide ImageConfig when the intended function PackageType is Zip."},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, tt.do(), tt.want) })
	}
	if out, err := h.ListFunctions(as(t), &lambdaapi.ListFunctionsRequest{}); err != nil || len(out.Functions) > 0 {
		t.Errorf("refused functions are there: %v, %v", out, err)
	}
}

func TestPackageTypeIsForLife(t *testing.T) {
	t.Parallel()
	const bad = "InvalidParameterValueException: "
	h := newHouse(t)
	if _, err := h.CreateFunction(as(t), imageRequest(repositoryURI+":v1")); err != nil {
		t.Fatal(err)
	}
	zip := request()
	zip.FunctionName = wire.Ptr("zip")
	if _, err := h.CreateFunction(as(t), zip); err != nil {
		t.Fatal(err)
	}
	code := func(in *lambdaapi.UpdateFunctionCodeRequest) error {
		_, err := h.UpdateFunctionCode(as(t), in)
		return err
	}
	config := func(in *lambdaapi.UpdateFunctionConfigurationRequest) error {
		_, err := h.UpdateFunctionConfiguration(as(t), in)
		return err
	}
	example, other := wire.Ptr("example"), wire.Ptr("zip")
	_, management := h.GetRuntimeManagementConfig(as(t), &lambdaapi.GetRuntimeManagementConfigRequest{FunctionName: example})
	_, signing := h.GetFunctionCodeSigningConfig(as(t), &lambdaapi.GetFunctionCodeSigningConfigRequest{FunctionName: example})
	for _, tt := range []struct {
		err  error
		want string
	}{
		{code(&lambdaapi.UpdateFunctionCodeRequest{FunctionName: example, ZipFile: archive(map[string]string{"a.py": ""})}),
			bad + "Please provide ImageUri when updating a function with packageType Image."},
		{code(&lambdaapi.UpdateFunctionCodeRequest{FunctionName: example}), bad + "Please provide ImageUri when updating a function with packageType Image."},
		{code(&lambdaapi.UpdateFunctionCodeRequest{FunctionName: other, ImageUri: wire.Ptr(repositoryURI + ":v1")}),
			bad + "Please don't provide ImageUri when updating a function with packageType Zip."},
		{config(&lambdaapi.UpdateFunctionConfigurationRequest{FunctionName: example, Runtime: wire.Ptr("python3.11")}),
			bad + "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."},
		{config(&lambdaapi.UpdateFunctionConfigurationRequest{FunctionName: other, ImageConfig: &lambdaapi.ImageConfig{}}),
			bad + "Please don't provide ImageConfig when updating a function with packageType Zip."},
		{management, bad + "Runtime management is not supported for functions created with container images."},
		{signing, bad + "Code signing is not supported for functions created with container images."},
	} {
		wantError(t, tt.err, tt.want)
	}
}

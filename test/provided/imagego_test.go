package provided

import (
	"encoding/json"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/butai-dev/butai/test/harness"
)

// ecr is an address as Terraform configurations for AWS have it.
const ecr = "000000000000.dkr.ecr.us-east-1.amazonaws.com/"

// createImage makes a function from an image.
func (d *deployment) createImage(name, uri string, config *types.ImageConfig) *lambda.CreateFunctionOutput {
	d.Helper()
	out, err := d.lambda.CreateFunction(d.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &d.role, PackageType: types.PackageTypeImage, Code: &types.FunctionCode{ImageUri: &uri}, ImageConfig: config,
	})
	if err != nil {
		d.Fatal(err)
	}
	return out
}

// TestImageOfLambdaGo runs a program with AWS's library from an image that has
// nothing else.
func TestImageOfLambdaGo(t *testing.T) {
	t.Parallel()
	host := hub(t)
	img := assemble(t, v1.Config{Entrypoint: []string{"/app/main"}}, layer(t, map[string]content{"app/main": {0o755, build(t, runtime.GOARCH)}}))
	digest := push(t, host+"/team/hello:v1", img)
	for name, start := range map[string]func() *harness.Server{
		"server": func() *harness.Server { return harness.Start(t, "--images", "http://"+host) },
		"nobody": func() *harness.Server { return harness.StartAsNobody(t, "--images", "http://"+host) },
	} {
		t.Run(name, func(t *testing.T) {
			d := deploy(t, start())
			d.T = t
			out := d.createImage("hello", ecr+"team/hello:v1", nil)
			if aws.ToString(out.CodeSha256) != digest || out.CodeSize != 0 || out.PackageType != types.PackageTypeImage || out.Runtime != "" || out.Handler != nil {
				t.Errorf("created %+v", out)
			}
			got, err := d.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("hello")})
			if err != nil {
				t.Fatal(err)
			}
			if c := got.Code; aws.ToString(c.RepositoryType) != "ECR" || aws.ToString(c.ImageUri) != ecr+"team/hello:v1" ||
				aws.ToString(c.ResolvedImageUri) != ecr+"team/hello@sha256:"+digest || c.Location != nil {
				t.Errorf("code is %+v", c)
			}
			for range 2 {
				payload, failed := d.invoke("hello", `{"Name": "image"}`)
				var answer struct{ Greeting, Function string }
				if err := json.Unmarshal([]byte(payload), &answer); err != nil || failed != "" || answer.Greeting != "hello image" || answer.Function != "hello" {
					t.Fatalf("%v %s %s", err, failed, payload)
				}
			}
		})
	}
}

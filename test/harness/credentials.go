package harness

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Credentials are a fixed access key for the AWS SDK for Go.
func Credentials(accessKey, secret string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secret}, nil
	})
}

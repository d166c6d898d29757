package cli

import (
	"cmp"
	"os"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/server"
	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire/client"
)

// newClient returns a client of the server that AWS tools would use in this
// environment, with the same credentials; without any, of the server on this
// machine, as the default account.
func newClient() *client.Client {
	env := func(names ...string) string {
		for _, name := range names {
			if v := os.Getenv(name); v != "" {
				return v
			}
		}
		return ""
	}
	return &client.Client{
		Endpoint: cmp.Or(env("AWS_ENDPOINT_URL"), "http://"+server.DefaultListen),
		Region:   cmp.Or(env("AWS_REGION", "AWS_DEFAULT_REGION"), server.DefaultRegion),
		Credentials: sigv4.Credentials{
			AccessKeyID:     cmp.Or(env("AWS_ACCESS_KEY_ID"), server.DefaultAccount),
			SecretAccessKey: cmp.Or(env("AWS_SECRET_ACCESS_KEY"), "butai"),
			SessionToken:    env("AWS_SESSION_TOKEN"),
		},
		Clock: clock.System{},
	}
}

package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
)

// keepDefinition stores what a stage serves as OpenAPI, where the endpoint can
// export it, and returns its SHA-256; "" where it can't.
func (e *Engine) keepDefinition(ctx context.Context, stage string) (string, error) {
	text, err := e.Gateway.Export(ctx, stage)
	if err != nil {
		return "", ctx.Err() // a record without it is better than none
	}
	sum := sha256.Sum256(text)
	name := hex.EncodeToString(sum[:])
	return name, e.Records.PutDefinition(ctx, name, text)
}

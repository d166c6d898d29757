package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/butai-dev/butai/internal/release"
	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/journal"
)

// OpenRecords is an API's records where its configuration says they are.
func OpenRecords(cfg aws.Config, file *config.File) release.Records {
	if name, prefix, ok := file.Bucket(); ok {
		return NewBucketRecords(cfg, name, prefix, file.API)
	}
	return NewRecords(cfg, file.Records, file.API)
}

// BucketRecords keeps one API's records in an S3 bucket, below PREFIX/API/:
//
//	entries/00000042.json    a line of the journal, written once: If-None-Match
//	definitions/SHA256.gz    an exported API
//	leases/STAGE.json        who releases a stage, and until when: If-Match
//
// Nothing is deleted; a lease that was given back has no owner.
type BucketRecords struct {
	bucket *bucket
	prefix string
}

var _ release.Records = (*BucketRecords)(nil)

// NewBucketRecords is an API's records in a bucket; prefix is "" or ends in a
// slash.
func NewBucketRecords(cfg aws.Config, name, prefix, api string) *BucketRecords {
	return &BucketRecords{bucket: newBucket(cfg, name), prefix: prefix + api + "/"}
}

const refusedCode = "PreconditionFailed"

// Create implements release.Records.
func (r *BucketRecords) Create(ctx context.Context) error { return r.bucket.create(ctx) }

func (r *BucketRecords) lineKey(seq int) string {
	return fmt.Sprintf("%sentries/%08d.json", r.prefix, seq)
}

// Append implements release.Records.
func (r *BucketRecords) Append(ctx context.Context, e *journal.Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	key := r.lineKey(e.Seq)
	if err = r.bucket.put(ctx, key, line, ifNew()); !is(err, refusedCode) {
		return err
	}
	// A retry of ours may have met what the first try stored.
	have, err := r.bucket.get(ctx, key)
	if err == nil && (have == nil || string(have.data) != string(line)) {
		err = release.ErrTaken
	}
	return err
}

// readers is how many lines are fetched at a time.
const readers = 16

// Entries implements release.Records.
func (r *BucketRecords) Entries(ctx context.Context, after int) ([]journal.Entry, error) {
	keys, err := r.bucket.list(ctx, r.prefix+"entries/", r.lineKey(after))
	if err != nil {
		return nil, err
	}
	out, failed := make([]journal.Entry, len(keys)), make([]error, len(keys))
	var all sync.WaitGroup
	slots := make(chan struct{}, readers)
	for i, key := range keys {
		slots <- struct{}{}
		all.Go(func() {
			failed[i] = r.read(ctx, key, &out[i])
			<-slots
		})
	}
	all.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// read reads a JSON object that is there.
func (r *BucketRecords) read(ctx context.Context, key string, into any) error {
	o, err := r.bucket.get(ctx, key)
	switch {
	case err != nil:
		return err
	case o == nil:
		return fmt.Errorf("object %s of bucket %s is gone", key, r.bucket.name)
	}
	if err := json.Unmarshal(o.data, into); err != nil {
		return fmt.Errorf("object %s of bucket %s: %w", key, r.bucket.name, err)
	}
	return nil
}

func (r *BucketRecords) definitionKey(sum string) string {
	return r.prefix + "definitions/" + sum + ".gz"
}

// PutDefinition implements release.Records.
func (r *BucketRecords) PutDefinition(ctx context.Context, sum string, definition []byte) error {
	packed, err := pack(definition)
	if err != nil {
		return err
	}
	return r.bucket.put(ctx, r.definitionKey(sum), packed, nil)
}

// Definition implements release.Records.
func (r *BucketRecords) Definition(ctx context.Context, sum string) ([]byte, error) {
	o, err := r.bucket.get(ctx, r.definitionKey(sum))
	if err != nil || o == nil {
		return nil, err
	}
	return unpack(o.data)
}

// lease is who releases a stage; nobody if it has no owner.
type lease struct {
	Owner string    `json:"owner"`
	Until time.Time `json:"until"`
}

func (r *BucketRecords) leaseKey(stage string) string { return r.prefix + "leases/" + stage + ".json" }

// Lease implements release.Records. Whoever is refused reads again: somebody
// was faster, or an earlier try of ours was.
func (r *BucketRecords) Lease(ctx context.Context, stage, owner string, now, until time.Time) error {
	text, err := json.Marshal(lease{owner, until})
	if err != nil {
		return err
	}
	for {
		have, held, err := r.lease(ctx, stage)
		if err != nil {
			return err
		}
		if held.Owner != "" && held.Owner != owner && !held.Until.Before(now) {
			return &release.LeaseError{Stage: stage, Owner: held.Owner, Until: held.Until}
		}
		condition := ifNew()
		if have != nil {
			condition = ifStill(have)
		}
		if err := r.bucket.put(ctx, r.leaseKey(stage), text, condition); !is(err, refusedCode, "NoSuchKey") {
			return err
		}
	}
}

// lease reads a stage's lease; the object is nil if there never was one.
func (r *BucketRecords) lease(ctx context.Context, stage string) (*object, lease, error) {
	var held lease
	have, err := r.bucket.get(ctx, r.leaseKey(stage))
	if err == nil && have != nil {
		err = json.Unmarshal(have.data, &held)
	}
	return have, held, err
}

// Unlease implements release.Records.
func (r *BucketRecords) Unlease(ctx context.Context, stage, owner string) error {
	have, held, err := r.lease(ctx, stage)
	if err != nil || have == nil || held.Owner != owner {
		return err
	}
	if err := r.bucket.put(ctx, r.leaseKey(stage), []byte(`{"owner":""}`), ifStill(have)); !is(err, refusedCode, "NoSuchKey") {
		return err
	}
	return nil // somebody else has it by now
}

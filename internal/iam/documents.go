package iam

import (
	"sync"

	"github.com/butai-dev/butai/internal/iam/policy"
)

// maxDocuments bounds what is remembered of resource-based policies.
const maxDocuments = 512

// documents remembers compiled resource-based policies by their text: the
// policies of functions and buckets have a say in each request. When full it
// starts again from empty.
type documents struct {
	mu       sync.RWMutex
	compiled map[string]*policy.Document
}

func (d *documents) resource(text string) (*policy.Document, error) {
	d.mu.RLock()
	doc, ok := d.compiled[text]
	d.mu.RUnlock()
	if ok {
		return doc, nil
	}
	doc, err := policy.Parse([]byte(text), policy.Resource)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.compiled == nil || len(d.compiled) >= maxDocuments {
		d.compiled = map[string]*policy.Document{}
	}
	d.compiled[text] = doc
	return doc, nil
}

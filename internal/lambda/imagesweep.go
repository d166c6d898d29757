package lambda

import (
	"context"
	"sync"

	"github.com/butai-dev/butai/internal/lambda/image"
	"github.com/butai-dev/butai/internal/store"
)

// imageHold keeps images from being deleted between when they are added and
// when a version that names them is stored.
type imageHold struct {
	mu      sync.RWMutex
	sweeps  sync.WaitGroup
	waiting sync.Mutex // one sweep at a time
}

// holdImages lets a request add images until the returned function is called.
func (s *Service) holdImages() (release func()) {
	s.imageHold.mu.RLock()
	return func() {
		s.imageHold.mu.RUnlock()
		s.sweepImagesLater()
	}
}

// sweepImagesLater deletes images that no version names any more, and doesn't
// hold up who asks for it.
func (s *Service) sweepImagesLater() {
	s.imageHold.sweeps.Go(func() {
		if err := s.sweepImages(context.Background()); err != nil {
			s.Log.Warn("images that nobody needs could not be deleted", "reason", err)
		}
	})
}

// sweepImages leaves images alone on which sandboxes still run: the next sweep,
// or the next start, takes those. While an image is being added it does
// nothing, since there will be another sweep then.
func (s *Service) sweepImages(ctx context.Context) error {
	s.imageHold.waiting.Lock()
	defer s.imageHold.waiting.Unlock()
	if !s.imageHold.mu.TryLock() {
		return nil
	}
	defer s.imageHold.mu.Unlock()
	images := map[string]bool{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		for f, err := range functions.All(r) {
			if err != nil {
				return err
			}
			f.Latest.codeInto(map[string]bool{}, images)
		}
		for v, err := range versions.All(r) {
			if err != nil {
				return err
			}
			v.codeInto(map[string]bool{}, images)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, root := range s.Engine.ImageRoots() {
		images[image.Digest(root)] = true
	}
	return s.images.Sweep(images)
}

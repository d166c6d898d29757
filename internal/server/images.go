package server

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/butai-dev/butai/internal/lambda/image"
)

// ParseImages reads where container images come from: folders that exist, and
// registries, as http://host:port or https://host.
func ParseImages(places []string) ([]image.Source, error) {
	var sources []image.Source
	for _, place := range places {
		if strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://") {
			u, err := url.Parse(place)
			if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
				return nil, fmt.Errorf("--images: want a registry as http://host:port or https://host, not %q", place)
			}
			sources = append(sources, image.Registry{URL: u})
			continue
		}
		info, err := os.Stat(place)
		if err != nil || !info.IsDir() {
			return nil, fmt.Errorf("--images: want a folder that exists, or a registry as http://host:port, not %q", place)
		}
		dir, err := filepath.Abs(place)
		if err != nil {
			return nil, fmt.Errorf("--images: %w", err)
		}
		sources = append(sources, image.Folder(dir))
	}
	return sources, nil
}

package archtest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPlanNamesEveryRoom holds ARCHITECTURE.md to naming each room, so that a
// newcomer finds there what it is for.
func TestPlanNamesEveryRoom(t *testing.T) {
	h := theHouse(t)
	text, err := os.ReadFile(filepath.Join("..", "..", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, code := range regexp.MustCompile("`[^`\n]+`").FindAllString(string(text), -1) {
		for _, word := range strings.FieldsFunc(code, func(r rune) bool { return strings.ContainsRune("`/., ", r) }) {
			named[word] = true
		}
	}
	for _, p := range h.packages {
		switch {
		case p.outside(), strings.HasPrefix(p.room, "api/"), strings.HasPrefix(p.room, "wire/"): // named as a group
		case !named[path.Base(p.room)]:
			t.Errorf("ARCHITECTURE.md doesn't name internal/%s", p.room)
		}
	}
}

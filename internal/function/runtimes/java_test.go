package runtimes

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestJavaMayBeNewerNeverOlder installs fake JDKs: classes compiled for 21
// don't load in 17.
func TestJavaMayBeNewerNeverOlder(t *testing.T) {
	tests := []struct {
		installed    []string
		runtime      string
		want, noting string // version found, part of the note
	}{
		{[]string{"11.0.2", "17.0.15"}, "java17", "17.0.15", ""},
		{[]string{"17.0.15", "21.0.1", "25.0.3"}, "java21", "21.0.1", ""},
		{[]string{"17.0.15", "25.0.3", "24"}, "java21", "24", "java21 runs on java 24"},
		{[]string{"21.0.1"}, "java17", "21.0.1", "java17 runs on java 21.0.1"},
		{[]string{"17.0.15", "11.0.2"}, "java21", "", ""},
		{[]string{"11.0.2", "1.8.0_292", "21.0.1", "17.0.15"}, "java11", "17.0.15", "java11 runs on java 17.0.15"},
		{[]string{"1.8.0_292", "17.0.15"}, "java8.al2", "17.0.15", "java8.al2 runs on java 17.0.15"},
	}
	for _, tt := range tests {
		home := t.TempDir()
		for _, version := range tt.installed {
			prefix := filepath.Join(home, "usr/lib/jvm/jdk-"+version)
			install(t, filepath.Join(prefix, "bin/java"), "\x7fELF")
			install(t, filepath.Join(prefix, "release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\""+version+"\"\n")
		}
		i, err := newSet(t, home, places{}).Lookup(t.Context(), tt.runtime)
		if tt.want == "" {
			var missing *MissingError
			if !errors.As(err, &missing) || !strings.Contains(err.Error(), "openjdk-21-jre-headless") {
				t.Errorf("%s with %v: %v, want an error that says what to install", tt.runtime, tt.installed, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s with %v: %v", tt.runtime, tt.installed, err)
			continue
		}
		if i.Version != tt.want || (i.Note != "") != (tt.noting != "") || !strings.Contains(i.Note, tt.noting) {
			t.Errorf("%s with %v: version %s, note %q; want %s, %q", tt.runtime, tt.installed, i.Version, i.Note, tt.want, tt.noting)
		}
	}
}

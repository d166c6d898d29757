package sandbox

import "testing"

func TestParseWish(t *testing.T) {
	for text, want := range map[string]Wish{
		"": Auto(), "auto": Auto(), "require": {Namespaces, Namespaces}, "restricted": {Restricted, Restricted}, "none": {None, None},
	} {
		if got, err := ParseWish(text); err != nil || got != want {
			t.Errorf("ParseWish(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"docker", "gvisor"} {
		if _, err := ParseWish(text); err == nil {
			t.Errorf("ParseWish accepted %s", text)
		}
	}
}

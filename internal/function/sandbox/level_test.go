package sandbox

import "testing"

func TestParseWish(t *testing.T) {
	for text, want := range map[string]Wish{
		"": Auto(), "auto": Auto(), "require": {Namespaces, Namespaces}, "restricted": {Restricted, Restricted}, "none": {None, None},
		"runsc": {GVisor, GVisor}, "gvisor": {GVisor, GVisor}, "require=runsc": {GVisor, GVisor}, "require=restricted": {Restricted, Namespaces},
	} {
		if got, err := ParseWish(text); err != nil || got != want {
			t.Errorf("ParseWish(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"docker", "require=docker", "require="} {
		if _, err := ParseWish(text); err == nil {
			t.Errorf("ParseWish accepted %s", text)
		}
	}
}

package pattern

import "testing"

func TestDelimited(t *testing.T) {
	t.Parallel()
	const line = `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
	for text, want := range map[string]bool{
		"[ip, server, username, timestamp, request, status_code, bytes]":                   true,
		"[ip, server, username, timestamp, request, status_code=4*, bytes]":                true,
		"[ip, server, username, timestamp, request, status_code=404 || status_code=5*, b]": true,
		"[..., status_code = 4*, bytes > 1000]":                                            true,
		"[..., status_code, bytes < 1000]":                                                 false,
		"[ip, ..., bytes]":                                                                 true,
		"[ip=10.*, ...]":                                                                   false,
		"[ip, server, username, timestamp, request =\"*.html*\", status_code, bytes]":      true,
		"[ip, server, username, timestamp, request, status_code != 404, bytes]":            false,
		"[ip, server]":                           false,
		"[..., request != %GET%, status, bytes]": false,
		"[ip, server, username, timestamp, request, status_code >= 400 && status_code < 500, bytes]": true,
	} {
		p, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := p.Matches(line); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	p, _ := Parse("[..., size]")
	if v, ok := p.Value(line, "$size"); !ok || v != "1534" {
		t.Errorf("$size is %q", v)
	}
	for _, bad := range []string{"[a", "[..., ...]", "[=1]", "[a b]"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	p, err := Parse("{ $.latency > 0 }")
	if err != nil {
		t.Fatal(err)
	}
	const event = `{"latency": 12.5, "user": {"tier": "gold"}, "ok": true, "list": [1, 2]}`
	for ref, want := range map[string]string{"$.latency": "12.5", "$.user.tier": "gold", "$.ok": "true", "$.list[1]": "2", "$.none": "", "$.user": ""} {
		if got, ok := p.Value(event, ref); got != want || ok != (want != "") {
			t.Errorf("%s = %q, %v", ref, got, ok)
		}
	}
}

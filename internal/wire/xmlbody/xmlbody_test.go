package xmlbody_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/xmlbody"
)

func decode(body string) (*route53api.ChangeResourceRecordSetsRequest, error) {
	in := &route53api.ChangeResourceRecordSetsRequest{}
	return in, xmlbody.Decode(route53api.Service.Schema, route53api.Service.Operation("ChangeResourceRecordSets").Input, []byte(body), in)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	change := func(name string, ttl int64) *route53api.ChangeResourceRecordSetsRequest {
		return &route53api.ChangeResourceRecordSetsRequest{ChangeBatch: &route53api.ChangeBatch{Changes: []route53api.Change{{
			Action: wire.Ptr("CREATE"), ResourceRecordSet: &route53api.ResourceRecordSet{Name: &name, TTL: &ttl},
		}}}}
	}
	const set = "<Action>CREATE</Action><ResourceRecordSet><Name>%</Name><TTL> 60 </TTL></ResourceRecordSet>"
	fill := func(name string) string { return strings.Replace(set, "%", name, 1) }
	for name, tt := range map[string]struct {
		body string
		want *route53api.ChangeResourceRecordSetsRequest
	}{
		"with a namespace": {
			`<?xml version="1.0"?><R xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes><Change>` + fill("a") + `</Change></Changes></ChangeBatch></R>`,
			change("a", 60),
		},
		"with a prefix, comments and blanks": {
			"<x:R xmlns:x=\"y\">\n<!-- why --> <x:ChangeBatch><x:Changes><x:Change>" + strings.NewReplacer("</", "</x:", "<", "<x:").Replace(fill("a")) +
				"</x:Change></x:Changes></x:ChangeBatch></x:R>\n",
			change("a", 60),
		},
		"escapes and CDATA": {
			`<R><ChangeBatch><Changes><Change>` + fill("&lt;&#228;&amp;<![CDATA[<b>]]>") + `</Change></Changes></ChangeBatch></R>`, change("<ä&<b>", 60),
		},
		"unknown members": {`<R><What><a/></What><ChangeBatch><Changes><Change>` + fill("a") + `</Change></Changes></ChangeBatch></R>`, change("a", 60)},
		"empty list": {
			`<R><ChangeBatch><Changes/></ChangeBatch></R>`,
			&route53api.ChangeResourceRecordSetsRequest{ChangeBatch: &route53api.ChangeBatch{Changes: []route53api.Change{}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode(tt.body)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s\nreads as %+v, want %+v", tt.body, got, tt.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&what;</a>", "<a b=c/>",
		`<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>`,
		"<R><ChangeBatch><Changes><Change><ResourceRecordSet><TTL>soon</TTL></ResourceRecordSet></Change></Changes></ChangeBatch></R>",
	} {
		_, err := decode(body)
		var serialization *wire.SerializationError
		if !errors.As(err, &serialization) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// FuzzDecode: whatever can be read is written so that it reads the same.
func FuzzDecode(f *testing.F) {
	f.Add("<R><ChangeBatch><Comment>c</Comment><Changes><Change><Action>CREATE</Action><ResourceRecordSet><Name>a</Name></ResourceRecordSet></Change></Changes></ChangeBatch></R>")
	f.Add("<R><ChangeBatch/><ChangeBatch/></R>")
	f.Fuzz(func(t *testing.T, body string) {
		first, err := decode(body)
		if err != nil {
			return
		}
		text := encode(first)
		second, err := decode(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if again := encode(second); again != text {
			t.Errorf("%s\nbecame %s", text, again)
		}
	})
}

func encode(in *route53api.ChangeResourceRecordSetsRequest) string {
	var w xmlbody.Writer
	w.Open("R")
	xmlbody.Members(&w, route53api.Service.Schema, route53api.Service.Operation("ChangeResourceRecordSets").Input, in)
	w.Close("R")
	return bytes.NewBuffer(w.Bytes()).String()
}

package apigateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// place is a documentation part's location, comparable.
type place struct{ kind, path, method, statusCode, name string }

func placeOf(l *apigatewayapi.DocumentationPartLocation) place {
	return place{wire.Val(l.Type), wire.Val(l.Path), wire.Val(l.Method), wire.Val(l.StatusCode), wire.Val(l.Name)}
}

func (p place) location() *apigatewayapi.DocumentationPartLocation {
	return &apigatewayapi.DocumentationPartLocation{
		Type: &p.kind, Path: nonEmpty(&p.path), Method: nonEmpty(&p.method), StatusCode: nonEmpty(&p.statusCode), Name: nonEmpty(&p.name),
	}
}

// locationFields are the members that the location of each type has (API
// Reference, "DocumentationPartLocation"): p path, m method, s status code,
// n name, which alone is required.
var locationFields = map[string]string{
	apigatewayapi.DocumentationPartTypeAPI:            "",
	apigatewayapi.DocumentationPartTypeAUTHORIZER:     "n",
	apigatewayapi.DocumentationPartTypeMODEL:          "n",
	apigatewayapi.DocumentationPartTypeRESOURCE:       "p",
	apigatewayapi.DocumentationPartTypeMETHOD:         "pm",
	apigatewayapi.DocumentationPartTypePATHPARAMETER:  "pmn",
	apigatewayapi.DocumentationPartTypeQUERYPARAMETER: "pmn",
	apigatewayapi.DocumentationPartTypeREQUESTHEADER:  "pmn",
	apigatewayapi.DocumentationPartTypeREQUESTBODY:    "pm",
	apigatewayapi.DocumentationPartTypeRESPONSE:       "pms",
	apigatewayapi.DocumentationPartTypeRESPONSEHEADER: "pmsn",
	apigatewayapi.DocumentationPartTypeRESPONSEBODY:   "pms",
}

// completeLocation fills in the defaults of the members that l's type has (of
// paths the root, recorded; else any) and refuses the others.
func completeLocation(l *apigatewayapi.DocumentationPartLocation) (*apigatewayapi.DocumentationPartLocation, error) {
	p := placeOf(l)
	fields := locationFields[p.kind]
	for _, f := range []struct {
		name, mark, missing string
		value               *string
	}{
		{"path", "p", "/", &p.path}, {"method", "m", "*", &p.method}, {"statusCode", "s", "*", &p.statusCode}, {"name", "n", "", &p.name},
	} {
		has := strings.Contains(fields, f.mark)
		switch {
		case !has && *f.value != "":
			return nil, badRequest("Invalid location: '%s' is not valid for type '%s'", f.name, p.kind)
		case has && *f.value == "":
			*f.value = f.missing
		}
		if has && *f.value == "" {
			return nil, badRequest("Invalid location: '%s' is required for type '%s'", f.name, p.kind)
		}
	}
	return p.location(), nil
}

// describeLocation spells a location out as API Gateway's messages do
// (developer guide, "Document an API using the API Gateway REST API").
func describeLocation(l *apigatewayapi.DocumentationPartLocation) string {
	p := placeOf(l)
	text := fmt.Sprintf("type '%s'", p.kind)
	for _, f := range [][2]string{{"path", p.path}, {"method", p.method}, {"statusCode", p.statusCode}, {"name", p.name}} {
		if f[1] != "" {
			text += fmt.Sprintf(", %s '%s'", f[0], f[1])
		}
	}
	return text
}

// undocumented lists the locations of an API's entities that have no part.
// Such an item has no id and no properties.
func undocumented(r store.ReadTx, sc scope, apiID string, parts []*apigatewayapi.DocumentationPart) ([]*apigatewayapi.DocumentationPart, error) {
	places := []place{{kind: apigatewayapi.DocumentationPartTypeAPI}}
	known, err := models.List(r, sc.id(apiID)...)
	if err != nil {
		return nil, err
	}
	for _, m := range known {
		places = append(places, place{kind: apigatewayapi.DocumentationPartTypeMODEL, name: *m.Name})
	}
	guards, err := authorizers.List(r, sc.id(apiID)...)
	if err != nil {
		return nil, err
	}
	for _, a := range guards {
		places = append(places, place{kind: apigatewayapi.DocumentationPartTypeAUTHORIZER, name: *a.Name})
	}
	tree, err := resources.List(r, sc.id(apiID)...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(tree, func(a, b *apigatewayapi.Resource) int { return strings.Compare(*a.Path, *b.Path) })
	for _, res := range tree {
		places = append(places, place{kind: apigatewayapi.DocumentationPartTypeRESOURCE, path: *res.Path})
		for _, verb := range slices.Sorted(maps.Keys(res.ResourceMethods)) {
			m := res.ResourceMethods[verb]
			places = append(places, methodPlaces(*res.Path, verb, &m)...)
		}
	}
	documented := map[place]bool{}
	for _, p := range parts {
		documented[placeOf(p.Location)] = true
	}
	var out []*apigatewayapi.DocumentationPart
	for _, p := range places {
		if !documented[p] {
			out = append(out, &apigatewayapi.DocumentationPart{Location: p.location()})
		}
	}
	return out, nil
}

// methodPlaces are the locations of a method and of what belongs to it.
func methodPlaces(path, verb string, m *apigatewayapi.Method) []place {
	places := []place{{kind: apigatewayapi.DocumentationPartTypeMETHOD, path: path, method: verb}}
	kinds := map[string]string{
		"path": apigatewayapi.DocumentationPartTypePATHPARAMETER, "querystring": apigatewayapi.DocumentationPartTypeQUERYPARAMETER,
		"header": apigatewayapi.DocumentationPartTypeREQUESTHEADER,
	}
	for _, p := range slices.Sorted(maps.Keys(m.RequestParameters)) {
		if match := requestParameter.FindStringSubmatch(p); match != nil {
			places = append(places, place{kind: kinds[match[1]], path: path, method: verb, name: match[2]})
		}
	}
	if len(m.RequestModels) > 0 {
		places = append(places, place{kind: apigatewayapi.DocumentationPartTypeREQUESTBODY, path: path, method: verb})
	}
	for _, code := range slices.Sorted(maps.Keys(m.MethodResponses)) {
		res := m.MethodResponses[code]
		at := place{path: path, method: verb, statusCode: code}
		at.kind = apigatewayapi.DocumentationPartTypeRESPONSE
		places = append(places, at)
		if len(res.ResponseModels) > 0 {
			at.kind = apigatewayapi.DocumentationPartTypeRESPONSEBODY
			places = append(places, at)
		}
		for _, h := range slices.Sorted(maps.Keys(res.ResponseParameters)) {
			at.kind, at.name = apigatewayapi.DocumentationPartTypeRESPONSEHEADER, strings.TrimPrefix(h, "method.response.header.")
			places = append(places, at)
		}
	}
	return places
}

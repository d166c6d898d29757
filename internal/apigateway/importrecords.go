package apigateway

import (
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
)

// models adds the document's models, in place of those of the same names.
func (im *importer) models() error {
	for i := range im.doc.Models {
		m := &im.doc.Models[i]
		have, err := models.Get(im.tx, im.id(*m.Name)...)
		if err != nil {
			return err
		}
		m.Id = wire.Ptr(ident.Lower(6))
		if have != nil {
			m.Id = have.Id
		}
		if err := checkSchema(*im.api.Id, m); err != nil {
			if err := im.fault("Unable to create model for '"+*m.Name+"': ", err); err != nil {
				return err
			}
			continue
		}
		if err := models.Put(im.tx, m, im.id(*m.Name)...); err != nil {
			return err
		}
	}
	return nil
}

// authorizers adds the document's authorizers, in place of those of the same
// names.
func (im *importer) authorizers() error {
	have, err := authorizers.List(im.tx, im.id()...)
	if err != nil {
		return err
	}
	im.authorizerIDs = map[string]string{}
	for _, a := range have {
		im.authorizerIDs[*a.Name] = *a.Id
	}
	for i := range im.doc.Authorizers {
		a := &im.doc.Authorizers[i]
		if im.authorizerIDs[*a.Name] == "" {
			im.authorizerIDs[*a.Name] = ident.Lower(6)
		}
		a.Id = wire.Ptr(im.authorizerIDs[*a.Name])
		if err := checkAuthorizer(a); err != nil {
			if err := im.fault("Unable to create authorizer '"+*a.Name+"': ", err); err != nil {
				return err
			}
			continue
		}
		if err := authorizers.Put(im.tx, a, im.id(*a.Id)...); err != nil {
			return err
		}
	}
	return nil
}

// validators adds the document's request validators likewise.
func (im *importer) validators() error {
	have, err := requestValidators.List(im.tx, im.id()...)
	if err != nil {
		return err
	}
	im.validatorIDs = map[string]string{}
	for _, v := range have {
		im.validatorIDs[*v.Name] = *v.Id
	}
	for i := range im.doc.RequestValidators {
		v := &im.doc.RequestValidators[i]
		if im.validatorIDs[*v.Name] == "" {
			im.validatorIDs[*v.Name] = ident.Lower(6)
		}
		v.Id = wire.Ptr(im.validatorIDs[*v.Name])
		if err := requestValidators.Put(im.tx, v, im.id(*v.Id)...); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) gatewayResponses() error {
	for i := range im.doc.GatewayResponses {
		g := &im.doc.GatewayResponses[i]
		what := "Unable to put gateway response '" + *g.ResponseType + "': "
		err := checkGatewayResponse(g)
		if _, known := catalogue[*g.ResponseType]; !known {
			err = badRequest("Invalid response type specified: %s", *g.ResponseType)
		}
		if g.StatusCode != nil && !statusCodeForm.MatchString(*g.StatusCode) {
			err = badRequest("Invalid status code specified: %s", *g.StatusCode)
		}
		if err != nil {
			if err := im.fault(what, err); err != nil {
				return err
			}
			continue
		}
		if err := gatewayResponses.Put(im.tx, g, im.id(*g.ResponseType)...); err != nil {
			return err
		}
	}
	return nil
}

// documentation merges the document's parts into the API's.
func (im *importer) documentation() error {
	_, err := im.mergeDocumentation(im.doc.DocumentationParts)
	return err
}

// mergeDocumentation stores parts, in place of those of the same locations,
// and returns their ids in order. Attributes that an earlier part has alone
// stay (developer guide, "Import API documentation").
func (im *importer) mergeDocumentation(parts []apigatewayapi.DocumentationPart) ([]string, error) {
	have, err := partsByPlace(im.tx, im.scope, *im.api.Id)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for i := range parts {
		part := &parts[i]
		if _, known := locationFields[wire.Val(part.Location.Type)]; !known {
			if err := im.fault("Unable to create documentation part: ", badRequest("Invalid location type specified: %s", wire.Val(part.Location.Type))); err != nil {
				return nil, err
			}
			continue
		}
		location, err := completeLocation(part.Location)
		if err == nil {
			err = checkProperties(*part.Properties)
		}
		if err != nil {
			if err := im.fault("Unable to create documentation part: ", err); err != nil {
				return nil, err
			}
			continue
		}
		part.Location, part.Id = location, wire.Ptr(ident.Lower(6))
		if old := have[placeOf(location)]; old != nil {
			part.Id = old.Id
			part.Properties = wire.Ptr(mergeObjects(*old.Properties, *part.Properties))
		}
		have[placeOf(location)] = part
		ids = append(ids, *part.Id)
		if err := documentationParts.Put(im.tx, part, im.id(*part.Id)...); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

package apigateway

import (
	"context"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Certificates makes the certificates that stages show to HTTP backends.
type Certificates interface {
	// ClientCertificate returns a new self-signed certificate and its key, in
	// PEM, and when it expires.
	ClientCertificate() (certificate, key []byte, expires time.Time, err error)
}

// clientCertificate is a certificate's record, with what AWS keeps to itself.
type clientCertificate struct {
	Certificate apigatewayapi.ClientCertificate
	Key         string // PKCS #8 in PEM
}

func noCertificate() error { return notFound("Invalid Client Certificate identifier specified") }

// GenerateClientCertificate makes a certificate that backends can know the
// gateway by.
func (s *Service) GenerateClientCertificate(ctx context.Context, in *apigatewayapi.GenerateClientCertificateRequest) (*apigatewayapi.ClientCertificate, error) {
	sc := scopeOf(ctx)
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	pem, key, expires, err := s.Certificates.ClientCertificate()
	if err != nil {
		return nil, err
	}
	c := &clientCertificate{Key: string(key), Certificate: apigatewayapi.ClientCertificate{
		ClientCertificateId: wire.Ptr(ident.Lower(6)), Description: nonEmpty(in.Description), PemEncodedCertificate: wire.Ptr(string(pem)),
		CreatedDate: s.now(), ExpirationDate: wire.Ptr(expires.Truncate(time.Second)), Tags: nonEmptyMap(in.Tags),
	}}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		return clientCertificates.Put(tx, c, sc.id(*c.Certificate.ClientCertificateId)...)
	})
	return &c.Certificate, err
}

// GetClientCertificate returns a certificate, without its key.
func (s *Service) GetClientCertificate(ctx context.Context, in *apigatewayapi.GetClientCertificateRequest) (*apigatewayapi.ClientCertificate, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.ClientCertificate, error) {
		c, err := find(r, clientCertificates, noCertificate(), sc.id(*in.ClientCertificateId))
		if err != nil {
			return nil, err
		}
		return &c.Certificate, nil
	})
}

// GetClientCertificates lists the account's certificates in the region.
func (s *Service) GetClientCertificates(ctx context.Context, in *apigatewayapi.GetClientCertificatesRequest) (*apigatewayapi.ClientCertificates, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.ClientCertificates, error) {
		items, next, err := page(r, clientCertificates, in.Position, in.Limit,
			func(c *clientCertificate) string { return *c.Certificate.ClientCertificateId }, sc.id())
		out := &apigatewayapi.ClientCertificates{Position: next, Items: []apigatewayapi.ClientCertificate{}}
		for _, c := range items {
			out.Items = append(out.Items, c.Certificate)
		}
		return out, err
	})
}

var clientCertificatePatch = patchTable[apigatewayapi.ClientCertificate]{picky: true, rows: []patchRow[apigatewayapi.ClientCertificate]{
	textRow("/description", func(c *apigatewayapi.ClientCertificate) **string { return &c.Description }),
}}

// UpdateClientCertificate changes a certificate's description.
func (s *Service) UpdateClientCertificate(ctx context.Context, in *apigatewayapi.UpdateClientCertificateRequest) (*apigatewayapi.ClientCertificate, error) {
	sc := scopeOf(ctx)
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.ClientCertificate, error) {
		c, err := find(tx, clientCertificates, noCertificate(), sc.id(*in.ClientCertificateId))
		if err != nil {
			return nil, err
		}
		if err := clientCertificatePatch.apply(&c.Certificate, in.PatchOperations); err != nil {
			return nil, err
		}
		return &c.Certificate, clientCertificates.Put(tx, c, sc.id(*in.ClientCertificateId)...)
	})
}

// DeleteClientCertificate deletes a certificate that no stage shows.
func (s *Service) DeleteClientCertificate(ctx context.Context, in *apigatewayapi.DeleteClientCertificateRequest) error {
	sc, id := scopeOf(ctx), *in.ClientCertificateId
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := find(tx, clientCertificates, noCertificate(), sc.id(id)); err != nil {
			return err
		}
		for st, err := range stages.All(tx, sc.id()...) {
			if err != nil {
				return err
			}
			if wire.Val(st.Stage.ClientCertificateId) == id {
				return badRequest("Client certificate %s is used by stage %s of API %s", id, *st.Stage.StageName, st.API)
			}
		}
		return clientCertificates.Delete(tx, sc.id(id)...)
	})
}

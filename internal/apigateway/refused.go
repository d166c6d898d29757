package apigateway

import "github.com/butai-dev/butai/internal/wire"

// Refused names the parameters that nothing would honour.
func (s *Service) Refused() []wire.Refusal {
	const upload = "certificates come from ACM; give certificateArn instead"
	return []wire.Refusal{
		{Operation: "CreateDomainName", Member: "certificateBody", Reason: upload},
		{Operation: "CreateDomainName", Member: "certificatePrivateKey", Reason: upload},
		{Operation: "CreateDomainName", Member: "certificateChain", Reason: upload},
		{Operation: "GetTags", Member: "position", Reason: "AWS doesn't page tags either"},
		{Operation: "GetTags", Member: "limit", Reason: "AWS doesn't page tags either"},
	}
}

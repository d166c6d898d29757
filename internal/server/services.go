package server

import (
	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/api/stsapi"
	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/iam"
	"github.com/butai-dev/butai/internal/sts"
)

// services are the control planes. Their zero value is enough to tell which
// operations are built.
type services struct {
	iam *iam.Service
	sts *sts.Service
}

// registrations pairs each service with its model, in alphabetical order.
func (s *services) registrations() []awsapi.Registration {
	return []awsapi.Registration{
		{Model: &iamapi.Service, Service: s.iam},
		{Model: &stsapi.Service, Service: s.sts},
	}
}

package dynamodb

import (
	"context"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// DescribeTimeToLive returns a table's expiry setting.
func (s *Service) DescribeTimeToLive(ctx context.Context, in *dynamodbapi.DescribeTimeToLiveInput) (*dynamodbapi.DescribeTimeToLiveOutput, error) {
	r, err := s.describe(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	return &dynamodbapi.DescribeTimeToLiveOutput{TimeToLiveDescription: r.TTL.describe()}, nil
}

// describe tells of the setting; nil is none.
func (t *ttlRecord) describe() *dynamodbapi.TimeToLiveDescription {
	if t == nil {
		return &dynamodbapi.TimeToLiveDescription{TimeToLiveStatus: wire.Ptr(dynamodbapi.TimeToLiveStatusDISABLED)}
	}
	status := dynamodbapi.TimeToLiveStatusENABLING
	if t.Ready {
		status = dynamodbapi.TimeToLiveStatusENABLED
	}
	return &dynamodbapi.TimeToLiveDescription{AttributeName: &t.Attribute, TimeToLiveStatus: &status}
}

// UpdateTimeToLive turns expiry by an attribute on or off. The items that
// there are get filed by Run; until then the status is ENABLING.
func (s *Service) UpdateTimeToLive(ctx context.Context, in *dynamodbapi.UpdateTimeToLiveInput) (*dynamodbapi.UpdateTimeToLiveOutput, error) {
	spec := in.TimeToLiveSpecification
	_, err := s.change(ctx, in.TableName, func(tx store.Tx, r *tableRecord) error {
		switch {
		case r.TTL == nil && !*spec.Enabled:
			return validation("TimeToLive is already disabled")
		case r.TTL != nil && r.TTL.Attribute != *spec.AttributeName:
			return validation("TimeToLive is active on a different AttributeName: current AttributeName is %s", r.TTL.Attribute)
		case r.TTL != nil && *spec.Enabled:
			return validation("TimeToLive is already enabled")
		case *spec.Enabled:
			r.TTL = &ttlRecord{Attribute: *spec.AttributeName}
			return nil
		}
		r.TTL = nil
		return tx.DeleteRange(expiryRange(r.ID))
	})
	if err != nil {
		return nil, err
	}
	s.wake()
	return &dynamodbapi.UpdateTimeToLiveOutput{TimeToLiveSpecification: spec}, nil
}

package dynamodb

import (
	"context"
	"errors"
	"fmt"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/wire"
)

// DescribeContinuousBackups says that point-in-time recovery is off, which is
// all it can be: UpdateContinuousBackups refuses to turn it on (Refused).
func (s *Service) DescribeContinuousBackups(ctx context.Context, in *dynamodbapi.DescribeContinuousBackupsInput) (*dynamodbapi.DescribeContinuousBackupsOutput, error) {
	d, err := s.continuousBackups(ctx, in.TableName)
	return &dynamodbapi.DescribeContinuousBackupsOutput{ContinuousBackupsDescription: d}, err
}

// UpdateContinuousBackups leaves point-in-time recovery off.
func (s *Service) UpdateContinuousBackups(ctx context.Context, in *dynamodbapi.UpdateContinuousBackupsInput) (*dynamodbapi.UpdateContinuousBackupsOutput, error) {
	d, err := s.continuousBackups(ctx, in.TableName)
	return &dynamodbapi.UpdateContinuousBackupsOutput{ContinuousBackupsDescription: d}, err
}

func (s *Service) continuousBackups(ctx context.Context, name *string) (*dynamodbapi.ContinuousBackupsDescription, error) {
	_, err := s.describe(ctx, name)
	var missing *dynamodbapi.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil, &dynamodbapi.TableNotFoundException{Message: wire.Ptr(fmt.Sprintf("Table not found: %s", wire.Val(name)))}
	}
	return &dynamodbapi.ContinuousBackupsDescription{
		ContinuousBackupsStatus: wire.Ptr(dynamodbapi.ContinuousBackupsStatusENABLED),
		PointInTimeRecoveryDescription: &dynamodbapi.PointInTimeRecoveryDescription{
			PointInTimeRecoveryStatus: wire.Ptr(dynamodbapi.PointInTimeRecoveryStatusDISABLED)},
	}, err
}

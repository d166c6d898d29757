package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// defaultRecoveryDays is how long changes are remembered unless a request says
// otherwise, and the most that it may say.
const defaultRecoveryDays = 35

// DescribeContinuousBackups tells of a table's point-in-time recovery.
func (s *Service) DescribeContinuousBackups(ctx context.Context, in *dynamodbapi.DescribeContinuousBackupsInput) (*dynamodbapi.DescribeContinuousBackupsOutput, error) {
	r, err := s.describe(ctx, in.TableName)
	if err != nil {
		return nil, noSource(in.TableName, err)
	}
	return &dynamodbapi.DescribeContinuousBackupsOutput{ContinuousBackupsDescription: r.continuousBackups(s.clock.Now())}, nil
}

// UpdateContinuousBackups turns point-in-time recovery on or off, or sets for
// how long it goes back. What was remembered is forgotten when it is off.
func (s *Service) UpdateContinuousBackups(ctx context.Context, in *dynamodbapi.UpdateContinuousBackupsInput) (*dynamodbapi.UpdateContinuousBackupsOutput, error) {
	spec := in.PointInTimeRecoverySpecification
	if !*spec.PointInTimeRecoveryEnabled && spec.RecoveryPeriodInDays != nil {
		return nil, invalidValue("RecoveryPeriodInDays can only be specified when PointInTimeRecoveryEnabled is true")
	}
	now := s.clock.Now()
	r, err := s.change(ctx, in.TableName, func(_ store.Tx, r *tableRecord) error {
		switch {
		case *spec.PointInTimeRecoveryEnabled:
			r.remember(now)
			if r.History.Days == 0 {
				r.History.Since, r.History.Days = now, defaultRecoveryDays
			}
			if spec.RecoveryPeriodInDays != nil {
				r.History.Days = *spec.RecoveryPeriodInDays
			}
		case r.History != nil:
			r.History.Days = 0
		}
		return nil
	})
	if err != nil {
		return nil, noSource(in.TableName, err)
	}
	s.wake()
	return &dynamodbapi.UpdateContinuousBackupsOutput{ContinuousBackupsDescription: r.continuousBackups(now)}, nil
}

// noSource gives a missing table the error that the operations on backups have
// for it.
func noSource(name *string, err error) error {
	if errors.As(err, new(*dynamodbapi.ResourceNotFoundException)) {
		return &dynamodbapi.TableNotFoundException{Message: wire.Ptr(fmt.Sprintf("Table not found: %s", wire.Val(name)))}
	}
	return err
}

func (r *tableRecord) continuousBackups(now time.Time) *dynamodbapi.ContinuousBackupsDescription {
	d := &dynamodbapi.PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: wire.Ptr(dynamodbapi.PointInTimeRecoveryStatusDISABLED)}
	if r.recoverable() {
		earliest, latest := r.History.window(now)
		d = &dynamodbapi.PointInTimeRecoveryDescription{
			PointInTimeRecoveryStatus: wire.Ptr(dynamodbapi.PointInTimeRecoveryStatusENABLED), RecoveryPeriodInDays: &r.History.Days,
			EarliestRestorableDateTime: &earliest, LatestRestorableDateTime: &latest,
		}
	}
	return &dynamodbapi.ContinuousBackupsDescription{
		ContinuousBackupsStatus: wire.Ptr(dynamodbapi.ContinuousBackupsStatusENABLED), PointInTimeRecoveryDescription: d,
	}
}

// recoverable reports whether point-in-time recovery is on.
func (r *tableRecord) recoverable() bool { return r.History != nil && r.History.Days > 0 }

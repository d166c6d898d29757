package secretsmanager

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/events/schedule"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// rotationRecord is how a secret is rotated, and how far that is.
type rotationRecord struct {
	Enabled   bool
	Function  string
	Rules     secretsmanagerapi.RotationRulesType
	Last      time.Time `json:",omitzero"` // when a rotation has succeeded
	Due       time.Time `json:",omitzero"` // when the next begins
	WindowEnd time.Time `json:",omitzero"` // by when it does

	// Of the rotation that is under way, if Version isn't "".
	Version  string    `json:",omitzero"`
	TestOnly bool      `json:",omitzero"` // only the step testSecret
	Attempts int       `json:",omitzero"` // that have failed
	Again    time.Time `json:",omitzero"` // when it is tried next
}

// RotateSecret configures rotation and, unless told otherwise, begins one. It
// answers before the function has done anything.
func (s *Service) RotateSecret(ctx context.Context, in *secretsmanagerapi.RotateSecretRequest) (*secretsmanagerapi.RotateSecretResponse, error) {
	if in.ClientRequestToken == nil {
		return nil, invalidParameter(tokenMissing)
	}
	if err := checkRules(in.RotationRules); err != nil {
		return nil, err
	}
	now := in.RotateImmediately == nil || *in.RotateImmediately
	rec, err := s.edit(ctx, in.SecretId, func(tx store.Tx, rec *secretRecord) error {
		if err := s.configure(rec, in); err != nil {
			return err
		}
		if held := rec.Stages[pending]; held != "" && held != rec.Stages[current] && held != *in.ClientRequestToken {
			return invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.")
		}
		rec.Changed = s.now()
		if err := rec.plan(s.Clock.Now().UTC()); err != nil {
			return err
		}
		return s.begin(tx, rec, *in.ClientRequestToken, !now)
	})
	if err != nil {
		return nil, err
	}
	s.wind(rec)
	return &secretsmanagerapi.RotateSecretResponse{ARN: wire.Ptr(rec.arn()), Name: &rec.Name, VersionId: in.ClientRequestToken}, nil
}

// configure takes over what a request says of the rotation.
func (s *Service) configure(rec *secretRecord, in *secretsmanagerapi.RotateSecretRequest) error {
	r := rec.Rotation
	if r == nil {
		r = &rotationRecord{}
	}
	if in.RotationLambdaARN != nil && *in.RotationLambdaARN != "" {
		r.Function = *in.RotationLambdaARN
	}
	if in.RotationRules != nil {
		r.Rules = *in.RotationRules
	}
	if r.Function == "" {
		return invalidRequest("No Lambda rotation function ARN is associated with this secret.")
	}
	if !s.Functions.MayRotate(r.Function, rec.arn(), rec.Account) {
		return wire.Errorf("AccessDeniedException", "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.")
	}
	r.Enabled = true
	rec.Rotation = r
	return nil
}

// checkRules checks what the model doesn't.
func checkRules(rules *secretsmanagerapi.RotationRulesType) error {
	if rules == nil {
		return nil
	}
	if rules.AutomaticallyAfterDays != nil && rules.ScheduleExpression != nil {
		return invalidParameter("You can specify only one of AutomaticallyAfterDays and ScheduleExpression.")
	}
	if e := rules.ScheduleExpression; e != nil {
		sched, err := schedule.Parse(*e)
		if err != nil || strings.Contains(*e, "minute") {
			return invalidParameter("Invalid ScheduleExpression %s.", *e)
		}
		at := time.Unix(0, 0)
		if next := sched.Next(at); strings.HasPrefix(*e, "rate") && next.Sub(at) < minPeriod {
			return invalidParameter("The ScheduleExpression can't rotate a secret more often than every four hours.")
		}
	}
	return nil
}

// minPeriod is the shortest time between rotations (User Guide: "Schedule
// expressions").
const minPeriod = 4 * time.Hour

// plan sets when the secret is rotated next, after last. Days are UTC's; a
// window without a duration ends with its day.
func (rec *secretRecord) plan(last time.Time) error {
	r := rec.Rotation
	r.Due, r.WindowEnd = time.Time{}, time.Time{}
	switch {
	case r.Rules.ScheduleExpression != nil:
		sched, err := schedule.Parse(*r.Rules.ScheduleExpression)
		if err != nil {
			return err // it was checked when it was set
		}
		r.Due = sched.Next(last)
	case r.Rules.AutomaticallyAfterDays != nil:
		r.Due = last.Truncate(24*time.Hour).AddDate(0, 0, int(*r.Rules.AutomaticallyAfterDays))
	}
	if r.Due.IsZero() {
		return nil
	}
	r.WindowEnd = r.Due.Truncate(24 * time.Hour).Add(24*time.Hour - time.Second)
	if hours, err := strconv.Atoi(strings.TrimSuffix(wire.Val(r.Rules.Duration), "h")); err == nil {
		r.WindowEnd = r.Due.Add(time.Duration(hours) * time.Hour)
	}
	return nil
}

// begin makes the version of a rotation, pending and without a value. A test
// has one too, until it is over.
func (s *Service) begin(tx store.Tx, rec *secretRecord, token string, testOnly bool) error {
	r := rec.Rotation
	r.Version, r.TestOnly, r.Attempts, r.Again = token, testOnly, 0, s.Clock.Now()
	have, err := versions.Get(tx, rec.place().key(token)...)
	if err != nil {
		return err
	}
	if have == nil {
		if err := rec.add(tx, &versionRecord{ID: token, Created: s.now(), Key: rec.Key}); err != nil {
			return err
		}
	}
	return rec.attach(token, pending)
}

// CancelRotateSecret turns rotation off, and ends one that is under way; its
// version stays pending.
func (s *Service) CancelRotateSecret(ctx context.Context, in *secretsmanagerapi.CancelRotateSecretRequest) (*secretsmanagerapi.CancelRotateSecretResponse, error) {
	out := &secretsmanagerapi.CancelRotateSecretResponse{}
	rec, err := s.edit(ctx, in.SecretId, func(_ store.Tx, rec *secretRecord) error {
		if rec.Rotation == nil || !rec.Rotation.Enabled {
			return invalidRequest("You tried to cancel rotation of a secret that isn't configured for rotation.")
		}
		out.VersionId = wire.TextOrNil(rec.Rotation.Version)
		rec.Rotation = &rotationRecord{Function: rec.Rotation.Function, Rules: rec.Rotation.Rules, Last: rec.Rotation.Last}
		rec.Changed = s.now()
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.ARN, out.Name = wire.Ptr(rec.arn()), &rec.Name
	return out, nil
}

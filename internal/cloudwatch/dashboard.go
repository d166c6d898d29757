package cloudwatch

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// dashboard is kept whole and given back: nothing here draws it.
type dashboard struct {
	Name, Body string
	Modified   time.Time
	Tags       []cloudwatchapi.Tag `json:",omitempty"`
}

var dashboards = record.New[dashboard]("cloudwatch", "dashboard") // account, name: they belong to no region

var dashboardName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

func dashboardARN(account, name string) *string {
	return wire.Ptr(arn.New("cloudwatch", "", account, "dashboard/"+name).String())
}

func noDashboard(name string) error {
	return &cloudwatchapi.DashboardNotFoundError{Message: wire.Ptr("Dashboard " + name + " does not exist")}
}

// PutDashboard stores a dashboard, in place of one of the same name.
func (s *Service) PutDashboard(ctx context.Context, in *cloudwatchapi.PutDashboardInput) (*cloudwatchapi.PutDashboardOutput, error) {
	if !dashboardName.MatchString(*in.DashboardName) {
		return nil, dashboardFault("The value " + *in.DashboardName + " for field DashboardName contains invalid characters. " +
			"It can only contain alphanumerics, dash (-) and underscore (_).")
	}
	var body struct{ Widgets []json.RawMessage }
	if err := json.Unmarshal([]byte(*in.DashboardBody), &body); err != nil {
		return nil, dashboardFault("The field DashboardBody must be a valid JSON object")
	}
	p, now := placeOf(ctx), s.Clock.Now()
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := dashboards.Get(tx, p.account, *in.DashboardName)
		if err != nil {
			return err
		}
		next := &dashboard{Name: *in.DashboardName, Body: *in.DashboardBody, Modified: now, Tags: in.Tags}
		if have != nil {
			next.Tags = have.Tags
		}
		return dashboards.Put(tx, next, p.account, next.Name)
	})
	return &cloudwatchapi.PutDashboardOutput{DashboardValidationMessages: []cloudwatchapi.DashboardValidationMessage{}}, err
}

func dashboardFault(text string) error {
	return &cloudwatchapi.DashboardInvalidInputError{
		Message:                     &text,
		DashboardValidationMessages: []cloudwatchapi.DashboardValidationMessage{{Message: &text}},
	}
}

// GetDashboard returns a dashboard.
func (s *Service) GetDashboard(ctx context.Context, in *cloudwatchapi.GetDashboardInput) (*cloudwatchapi.GetDashboardOutput, error) {
	p := placeOf(ctx)
	var d *dashboard
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		d, err = dashboards.Get(r, p.account, *in.DashboardName)
		return err
	})
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, noDashboard(*in.DashboardName)
	}
	return &cloudwatchapi.GetDashboardOutput{DashboardArn: dashboardARN(p.account, d.Name), DashboardBody: &d.Body, DashboardName: &d.Name}, nil
}

// ListDashboards lists the account's dashboards.
func (s *Service) ListDashboards(ctx context.Context, in *cloudwatchapi.ListDashboardsInput) (*cloudwatchapi.ListDashboardsOutput, error) {
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	p := placeOf(ctx)
	out := &cloudwatchapi.ListDashboardsOutput{DashboardEntries: []cloudwatchapi.DashboardEntry{}}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		for d, err := range dashboards.After(r, after, p.account) {
			if err != nil {
				return err
			}
			if !strings.HasPrefix(d.Name, wire.Val(in.DashboardNamePrefix)) {
				continue
			}
			if n := len(out.DashboardEntries); n == 1000 {
				out.NextToken = paging.Token(*out.DashboardEntries[n-1].DashboardName)
				return nil
			}
			out.DashboardEntries = append(out.DashboardEntries, cloudwatchapi.DashboardEntry{
				DashboardName: &d.Name, DashboardArn: dashboardARN(p.account, d.Name), LastModified: &d.Modified,
				Size: wire.Ptr(int64(len(d.Body))),
			})
		}
		return nil
	})
	return out, err
}

// DeleteDashboards deletes dashboards: all of them, or none if one doesn't
// exist.
func (s *Service) DeleteDashboards(ctx context.Context, in *cloudwatchapi.DeleteDashboardsInput) (*cloudwatchapi.DeleteDashboardsOutput, error) {
	p := placeOf(ctx)
	return &cloudwatchapi.DeleteDashboardsOutput{}, s.Store.Update(ctx, func(tx store.Tx) error {
		for _, name := range in.DashboardNames {
			d, err := dashboards.Get(tx, p.account, name)
			if err != nil {
				return err
			}
			if d == nil {
				return noDashboard(name)
			}
			if err := dashboards.Delete(tx, p.account, name); err != nil {
				return err
			}
		}
		return nil
	})
}

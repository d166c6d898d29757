package ssm

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxLabels is the limit per version (User Guide: "Working with parameter labels").
const maxLabels = 10

var labelForm = regexp.MustCompile(`^[A-Za-z_.-][A-Za-z0-9_.-]*$`)

func isLabel(label string) bool {
	lower := strings.ToLower(label)
	return labelForm.MatchString(label) && !strings.HasPrefix(lower, "aws") && !strings.HasPrefix(lower, "ssm")
}

// labelsOf are a version's labels in order, never nil.
func (p *parameterRecord) labelsOf(version int64) []string {
	labels := []string{}
	for label, n := range p.Labels {
		if n == version {
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	return labels
}

// edit changes a parameter that must exist.
func (s *Service) edit(ctx context.Context, name string, fn func(tx store.Tx, p *parameterRecord) error) error {
	ref, err := parse(ctx, name)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		p, err := get(ctx, tx, ref)
		if err != nil {
			return err
		}
		if err := fn(tx, p); err != nil {
			return err
		}
		return parameters.Put(tx, p, p.key()...)
	})
}

// LabelParameterVersion puts labels on a version, off the ones that had them.
func (s *Service) LabelParameterVersion(ctx context.Context, in *ssmapi.LabelParameterVersionRequest) (*ssmapi.LabelParameterVersionResult, error) {
	out := &ssmapi.LabelParameterVersionResult{}
	err := s.edit(ctx, *in.Name, func(tx store.Tx, p *parameterRecord) error {
		version := p.Latest
		if in.ParameterVersion != nil {
			version = *in.ParameterVersion
		}
		if _, err := p.version(tx, version); err != nil {
			return err
		}
		out.ParameterVersion, out.InvalidLabels = &version, []string{}
		if p.Labels == nil {
			p.Labels = map[string]int64{}
		}
		for _, label := range in.Labels {
			if isLabel(label) {
				p.Labels[label] = version
			} else {
				out.InvalidLabels = append(out.InvalidLabels, label)
			}
		}
		if len(p.labelsOf(version)) > maxLabels {
			return &ssmapi.ParameterVersionLabelLimitExceeded{Message: wire.Ptr("A parameter version can have maximum 10 labels.Move one or more labels to another version and try again.")}
		}
		return nil
	})
	return out, err
}

// UnlabelParameterVersion takes labels off a version.
func (s *Service) UnlabelParameterVersion(ctx context.Context, in *ssmapi.UnlabelParameterVersionRequest) (*ssmapi.UnlabelParameterVersionResult, error) {
	out := &ssmapi.UnlabelParameterVersionResult{}
	err := s.edit(ctx, *in.Name, func(tx store.Tx, p *parameterRecord) error {
		if _, err := p.version(tx, *in.ParameterVersion); err != nil {
			return err
		}
		out.RemovedLabels, out.InvalidLabels = []string{}, []string{}
		for _, label := range in.Labels {
			if n, ok := p.Labels[label]; ok && n == *in.ParameterVersion {
				delete(p.Labels, label)
				out.RemovedLabels = append(out.RemovedLabels, label)
			} else {
				out.InvalidLabels = append(out.InvalidLabels, label)
			}
		}
		return nil
	})
	return out, err
}

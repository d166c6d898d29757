package ecr

import (
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// PutImageScanningConfiguration says whether images are to be scanned when
// they are pushed. There is no scanner: DescribeImages says so of each.
func (s *Service) PutImageScanningConfiguration(ctx context.Context, in *ecrapi.PutImageScanningConfigurationRequest) (*ecrapi.PutImageScanningConfigurationResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	scan := wire.Val(in.ImageScanningConfiguration.ScanOnPush)
	err := s.edit(ctx, p, func(_ store.Tx, rec *repositoryRecord) error {
		rec.ScanOnPush = scan
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecrapi.PutImageScanningConfigurationResponse{
		RegistryId: &p.account, RepositoryName: &p.name, ImageScanningConfiguration: &ecrapi.ImageScanningConfiguration{ScanOnPush: &scan},
	}, nil
}

// PutRegistryScanningConfiguration says the same of repositories by their
// names.
func (s *Service) PutRegistryScanningConfiguration(ctx context.Context, in *ecrapi.PutRegistryScanningConfigurationRequest) (*ecrapi.PutRegistryScanningConfigurationResponse, error) {
	if wire.Val(in.ScanType) == ecrapi.ScanTypeENHANCED {
		return nil, wire.NotBuilt("enhanced scanning of ECR; scanType must be BASIC")
	}
	for _, rule := range in.Rules {
		if *rule.ScanFrequency == ecrapi.ScanFrequencyCONTINUOUSSCAN {
			return nil, invalid("Invalid parameter at 'rules' failed to satisfy constraint: 'CONTINUOUS_SCAN is not supported for scan type BASIC'")
		}
	}
	_, err := s.configure(ctx, func(rec *settingsRecord) error {
		rec.Scanning = in.Rules
		return nil
	})
	return &ecrapi.PutRegistryScanningConfigurationResponse{RegistryScanningConfiguration: shownScanning(in.Rules)}, err
}

// GetRegistryScanningConfiguration returns it.
func (s *Service) GetRegistryScanningConfiguration(ctx context.Context, _ *ecrapi.GetRegistryScanningConfigurationRequest) (*ecrapi.GetRegistryScanningConfigurationResponse, error) {
	registry, rec, err := s.configured(ctx)
	if err != nil {
		return nil, err
	}
	return &ecrapi.GetRegistryScanningConfigurationResponse{RegistryId: &registry.account, ScanningConfiguration: shownScanning(rec.Scanning)}, nil
}

func shownScanning(rules []ecrapi.RegistryScanningRule) *ecrapi.RegistryScanningConfiguration {
	return &ecrapi.RegistryScanningConfiguration{ScanType: wire.Ptr(ecrapi.ScanTypeBASIC), Rules: slices.Concat([]ecrapi.RegistryScanningRule{}, rules)}
}

// BatchGetRepositoryScanningConfiguration tells what both settings come to for
// repositories.
func (s *Service) BatchGetRepositoryScanningConfiguration(ctx context.Context, in *ecrapi.BatchGetRepositoryScanningConfigurationRequest) (*ecrapi.BatchGetRepositoryScanningConfigurationResponse, error) {
	out := &ecrapi.BatchGetRepositoryScanningConfigurationResponse{}
	return out, s.Store.View(ctx, func(r store.ReadTx) error {
		out.ScanningConfigurations, out.Failures = []ecrapi.RepositoryScanningConfiguration{}, []ecrapi.RepositoryScanningConfigurationFailure{}
		for _, name := range in.RepositoryNames {
			p := placeOf(ctx, nil, &name)
			rec, err := repositories.Get(r, p.key()...)
			if err != nil {
				return err
			}
			if rec == nil {
				out.Failures = append(out.Failures, ecrapi.RepositoryScanningConfigurationFailure{
					RepositoryName: &name, FailureCode: wire.Ptr(ecrapi.ScanningConfigurationFailureCodeREPOSITORYNOTFOUND),
					FailureReason: wire.Ptr("Repository not found"),
				})
				continue
			}
			registry, err := settingsOf(r, p)
			if err != nil {
				return err
			}
			onPush, filters := rec.scanned(registry)
			frequency := ecrapi.ScanFrequencyMANUAL
			if onPush {
				frequency = ecrapi.ScanFrequencySCANONPUSH
			}
			out.ScanningConfigurations = append(out.ScanningConfigurations, ecrapi.RepositoryScanningConfiguration{
				RepositoryArn: wire.Ptr(p.arn()), RepositoryName: &name, ScanOnPush: &onPush, ScanFrequency: &frequency, AppliedScanFilters: filters,
			})
		}
		return nil
	})
}

// scanned tells whether images of the repository are to be scanned when they
// are pushed, and which of the registry's filters say anything of it.
func (rec *repositoryRecord) scanned(registry *settingsRecord) (onPush bool, filters []ecrapi.ScanningRepositoryFilter) {
	onPush, filters = rec.ScanOnPush, []ecrapi.ScanningRepositoryFilter{}
	for _, rule := range registry.Scanning {
		for _, f := range rule.RepositoryFilters {
			if *f.FilterType != ecrapi.ScanningRepositoryFilterTypeWILDCARD {
				continue
			}
			// A filter without an asterisk is about names that contain it (User
			// Guide: Filters to choose which repositories are scanned).
			if has := strings.Contains(*f.Filter, "*"); has && fits(*f.Filter, rec.Name) || !has && strings.Contains(rec.Name, *f.Filter) {
				onPush = onPush || *rule.ScanFrequency == ecrapi.ScanFrequencySCANONPUSH
				filters = append(filters, f)
			}
		}
	}
	return onPush, filters
}

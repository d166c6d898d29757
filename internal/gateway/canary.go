package gateway

import (
	"iter"
	"log/slog"
	"maps"

	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
)

// canary is the other half of a stage with a canary release: its own
// deployment and variables, a part of the stage's requests (developer guide,
// "Set up an API Gateway canary release deployment").
type canary struct {
	*stage
	percent float64
}

// compileCanary compiles the canary of a stage, which is compiled already. Both
// share what holds for the stage as a whole: method throttles and access log.
func compileCanary(main *stage, s *Stage, b *backends, log *slog.Logger) error {
	settings := s.Stage.CanarySettings
	if settings == nil || s.Canary == nil {
		return nil
	}
	config := *s.Stage
	config.CanarySettings = nil
	config.Variables = maps.Clone(s.Stage.Variables)
	if config.Variables == nil {
		config.Variables = map[string]string{}
	}
	maps.Copy(config.Variables, settings.StageVariableOverrides)
	spec := *s
	spec.Stage, spec.Deployment, spec.Canary = &config, s.Canary, nil
	other, err := compileStage(&spec, b, main.limiters, log)
	if err != nil {
		return err
	}
	other.setLogGroup(main.logGroup + "/Canary")
	other.isCanary = true
	other.useStageCache = wire.Val(settings.UseStageCache)
	main.canary = &canary{other, wire.Val(settings.PercentTraffic)}
	return nil
}

// halves yields the stage and its canary, as far as there are any.
func (st *stage) halves() iter.Seq[*stage] {
	return func(yield func(*stage) bool) {
		if st != nil && yield(st) && st.canary != nil {
			yield(st.canary.stage)
		}
	}
}

// draw picks the half of the stage that serves a request.
func (st *stage) draw() *stage {
	if c := st.canary; c != nil && c.percent > 0 && ident.Float64()*100 < c.percent {
		return c.stage
	}
	return st
}

// canaryRequest is $context.isCanaryRequest: "" for a stage without a canary.
func (st *stage) canaryRequest() string {
	switch {
	case st == nil:
		return ""
	case st.isCanary:
		return "true"
	case st.canary != nil:
		return "false"
	}
	return ""
}

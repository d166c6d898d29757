package apigateway

import (
	"context"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// A cache cluster is memory of the data plane, there at once: only the answer
// of the call that asks for it says CREATE_IN_PROGRESS, as AWS's does.

// defaultCacheSize is the size of a cluster that none is asked for, in
// gigabytes.
const defaultCacheSize = apigatewayapi.CacheClusterSize05

// setCacheCluster turns a stage's cluster on or off; nil leaves a fact alone.
func setCacheCluster(st *apigatewayapi.Stage, enabled *bool, size *string) error {
	if wire.Val(size) != "" {
		st.CacheClusterSize = size
		if err := checkCacheSize(*size); err != nil {
			return err
		}
	}
	if enabled != nil {
		st.CacheClusterEnabled = wire.Ptr(*enabled)
	}
	st.CacheClusterStatus = wire.Ptr(apigatewayapi.CacheClusterStatusNOTAVAILABLE)
	if wire.Val(st.CacheClusterEnabled) {
		st.CacheClusterStatus = wire.Ptr(apigatewayapi.CacheClusterStatusAVAILABLE)
		if st.CacheClusterSize == nil {
			st.CacheClusterSize = wire.Ptr(defaultCacheSize)
		}
	}
	return nil
}

func checkCacheSize(size string) error {
	return oneOf("CacheClusterSize", size,
		apigatewayapi.CacheClusterSize05, apigatewayapi.CacheClusterSize16, apigatewayapi.CacheClusterSize61, apigatewayapi.CacheClusterSize135,
		apigatewayapi.CacheClusterSize284, apigatewayapi.CacheClusterSize582, apigatewayapi.CacheClusterSize118, apigatewayapi.CacheClusterSize237)
}

var cachePatch = []patchRow[stageEdit]{
	{"/cacheClusterEnabled", replaceOnly, func(e *stageEdit, op patchOp) error {
		return setCacheCluster(e.Stage, wire.Ptr(op.isTrue()), nil)
	}},
	{"/cacheClusterSize", replaceOnly, func(e *stageEdit, op patchOp) error {
		if op.text() == "" {
			e.CacheClusterSize = nil
		}
		return setCacheCluster(e.Stage, nil, op.value)
	}},
}

// inProgress is a stage as the call that changed its cluster prints it; before
// is the cluster's status before, nil for a new stage.
func inProgress(st *apigatewayapi.Stage, before *string) *apigatewayapi.Stage {
	was, is := wire.Val(before) == apigatewayapi.CacheClusterStatusAVAILABLE, wire.Val(st.CacheClusterEnabled)
	if was == is {
		return st
	}
	out := *st
	out.CacheClusterStatus = wire.Ptr(apigatewayapi.CacheClusterStatusDELETEINPROGRESS)
	if is {
		out.CacheClusterStatus = wire.Ptr(apigatewayapi.CacheClusterStatusCREATEINPROGRESS)
	}
	return &out
}

// FlushStageCache forgets every answer in a stage's cache.
func (s *Service) FlushStageCache(ctx context.Context, in *apigatewayapi.FlushStageCacheRequest) error {
	sc := scopeOf(ctx)
	_, err := view(ctx, s, func(r store.ReadTx) (*stage, error) { return getStage(r, sc, *in.RestApiId, *in.StageName) })
	if err != nil {
		return err
	}
	s.Gateway.FlushCache(*in.RestApiId, *in.StageName)
	return nil
}

package apigateway_test

import (
	"testing"
)

// TestCanaryReleases takes a canary through a recorded life: made with a
// deployment, tuned, promoted, removed.
func TestCanaryReleases(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, _ := h.newMock()
	deployments, stage := "/restapis/"+api+"/deployments", "/restapis/"+api+"/stages/dev"
	const invalid = "Invalid deployment content specified."
	canary := object{"percentTraffic": 50, "stageVariableOverrides": object{"testVar": "canary", "noStageVar": "canary"}}
	h.fails("BadRequestException", invalid+"Non null and non empty stageName must be provided for canary deployment. Provided value is null",
		"POST", deployments, object{"canarySettings": canary})
	h.fails("BadRequestException", invalid+"Stage dev must already be created before making a canary release deployment",
		"POST", deployments, object{"stageName": "dev", "canarySettings": canary})

	first := h.must(201, "POST", deployments, object{"stageName": "dev", "variables": object{"testVar": "default"}})["id"].(string)
	second := h.must(201, "POST", deployments, object{"stageName": "dev", "canarySettings": canary})["id"].(string)
	got := h.must(200, "GET", stage, nil)
	if got["deploymentId"] != first {
		t.Errorf("the stage's own deployment is %v", got["deploymentId"])
	}
	h.same("canary", got["canarySettings"].(object), `{"deploymentId": "`+second+`", "percentTraffic": 50.0, "useStageCache": false,
		"stageVariableOverrides": {"testVar": "canary", "noStageVar": "canary"}}`)
	if spec := h.plane.stage(api + "/dev"); spec.Deployment.ID != first || spec.Canary.ID != second {
		t.Errorf("published %s with canary %s", spec.Deployment.ID, spec.Canary.ID)
	}
	h.fails("BadRequestException", "Active stages pointing to this deployment must be moved or deleted", "DELETE", deployments+"/"+second, nil)

	got = h.must(200, "PATCH", stage, patch("replace /canarySettings/stageVariableOverrides/testVar updated", "replace /canarySettings/percentTraffic 100.0",
		"replace /canarySettings/useStageCache true", "remove /canarySettings/stageVariableOverrides/noStageVar"))
	h.same("tuned", got["canarySettings"].(object), `{"deploymentId": "`+second+`", "percentTraffic": 100.0, "useStageCache": true, "stageVariableOverrides": {"testVar": "updated"}}`)
	h.fails("BadRequestException", "Cannot remove method setting canarySettings/stageVariableOverrides because there is no method setting for this method ",
		"PATCH", stage, patch("remove /canarySettings/stageVariableOverrides"))

	copies := func(pairs ...string) object {
		var ops []object
		for i := 0; i < len(pairs); i += 2 {
			ops = append(ops, object{"op": "copy", "path": pairs[i], "from": pairs[i+1]})
		}
		return object{"patchOperations": ops}
	}
	h.fails("BadRequestException", "Invalid copy operation with path: /canarySettings/stageVariableOverrides and from /variables. Valid copy:path are "+
		"[/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]",
		"PATCH", stage, copies("/canarySettings/stageVariableOverrides", "/variables"))
	got = h.must(200, "PATCH", stage, copies("/variables", "/canarySettings/stageVariableOverrides", "/deploymentId", "/canarySettings/deploymentId"))
	if got["deploymentId"] != second || got["variables"].(object)["testVar"] != "updated" {
		t.Errorf("promoted to %v", got)
	}
	if got = h.must(200, "PATCH", stage, patch("remove /canarySettings")); got["canarySettings"] != nil {
		t.Errorf("canary is still there: %v", got)
	}
	h.fails("BadRequestException", "Promotion not available. Canary does not exist.", "PATCH", stage, copies("/deploymentId", "/canarySettings/deploymentId"))
	h.must(202, "DELETE", deployments+"/"+first, nil)

	// A canary begins with any of its settings.
	got = h.must(200, "PATCH", stage, patch("replace /canarySettings/percentTraffic 50"))
	h.same("defaults", got["canarySettings"].(object), `{"deploymentId": "`+second+`", "percentTraffic": 50.0, "useStageCache": false}`)
	third := h.deploy(api)
	got = h.must(201, "POST", "/restapis/"+api+"/stages", object{"stageName": "made", "deploymentId": second, "canarySettings": object{"deploymentId": third}})
	h.same("made with a stage", got["canarySettings"].(object), `{"deploymentId": "`+third+`", "percentTraffic": 0.0, "useStageCache": false}`)
	h.fails("BadRequestException", "Deployment id does not exist", "POST", "/restapis/"+api+"/stages",
		object{"stageName": "bad", "deploymentId": second, "canarySettings": object{"deploymentId": "nope"}})
}

func TestCacheClusters(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, _ := h.newMock()
	id := h.deploy(api)
	made := h.must(201, "POST", "/restapis/"+api+"/stages", object{"stageName": "s", "deploymentId": id, "cacheClusterEnabled": true, "cacheClusterSize": "1.6"})
	if made["cacheClusterStatus"] != "CREATE_IN_PROGRESS" || made["cacheClusterSize"] != "1.6" || made["cacheClusterEnabled"] != true {
		t.Errorf("made %v", made)
	}
	path := "/restapis/" + api + "/stages/s"
	if got := h.must(200, "GET", path, nil); got["cacheClusterStatus"] != "AVAILABLE" {
		t.Errorf("cluster is %v", got["cacheClusterStatus"])
	}
	if got := h.must(200, "PATCH", path, patch("replace /description d")); got["cacheClusterStatus"] != "AVAILABLE" {
		t.Errorf("after another change the cluster is %v", got["cacheClusterStatus"])
	}
	h.must(202, "DELETE", path+"/cache/data", nil)
	if len(h.plane.flushed) != 1 {
		t.Errorf("flushed %v", h.plane.flushed)
	}
	h.fails("NotFoundException", "Invalid stage identifier specified", "DELETE", "/restapis/"+api+"/stages/none/cache/data", nil)
	if got := h.must(200, "PATCH", path, patch("replace /cacheClusterEnabled false")); got["cacheClusterStatus"] != "DELETE_IN_PROGRESS" {
		t.Errorf("after its end the cluster is %v", got["cacheClusterStatus"])
	}
	if got := h.must(200, "GET", path, nil); got["cacheClusterStatus"] != "NOT_AVAILABLE" || got["cacheClusterEnabled"] != false {
		t.Errorf("cluster is %v", got)
	}
	h.must(201, "POST", "/restapis/"+api+"/deployments", object{"stageName": "other", "cacheClusterEnabled": true})
	if got := h.must(200, "GET", "/restapis/"+api+"/stages/other", nil); got["cacheClusterSize"] != "0.5" || got["cacheClusterStatus"] != "AVAILABLE" {
		t.Errorf("a deployment made the cluster %v", got)
	}
}

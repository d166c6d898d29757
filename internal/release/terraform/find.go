package terraform

import "strings"

// Stage finds a stage of an API: its own resource, or the deployment that
// names it as its stage_name; nil if Terraform has neither.
func (s *State) Stage(api, name string) *Stage {
	var found *Stage
	for _, r := range s.resources {
		v := r.Values
		if v.RestAPIID != api || v.StageName != name {
			continue
		}
		switch r.Type {
		case stageType:
			out := &Stage{Address: r.Address, Deployment: v.Deployment, Variables: v.Variables}
			if len(v.Canary) > 0 {
				out.CanaryPercent, out.CanaryDeployment = v.Canary[0].Percent, v.Canary[0].Deployment
			}
			return out
		case deploymentType:
			found = &Stage{Address: r.Address, Deployment: v.ID, Variables: v.Variables, OfDeployment: true}
		}
	}
	return found
}

// Alias finds an alias of a function; nil if Terraform has none.
func (s *State) Alias(function, name string) *Alias {
	for _, r := range s.resources {
		v := r.Values
		if r.Type != aliasType || v.Name != name || v.Function != function && !strings.Contains(v.ARN, ":function:"+function+":") {
			continue
		}
		out := &Alias{Address: r.Address, Version: v.Version}
		if len(v.Routing) > 0 {
			out.Weights = v.Routing[0].Weights
		}
		return out
	}
	return nil
}

// Package terraform reads what Terraform believes of stages and aliases: from
// its state, or from a plan, as files or as terraform show -json prints them.
// It is pure.
package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
)

// State is what Terraform believes.
type State struct {
	// Planned tells that it comes from a plan, which knows what a refresh took
	// over from others. A state doesn't.
	Planned   bool
	resources []resource
}

type resource struct {
	Address, Type string
	Values        values
}

// values are the attributes that matter here, of all types that do.
type values struct {
	ID         string            `json:"id"`
	RestAPIID  string            `json:"rest_api_id"`
	StageName  string            `json:"stage_name"`
	Deployment string            `json:"deployment_id"`
	Variables  map[string]string `json:"variables"`
	Canary     []canary          `json:"canary_settings"`
	Name       string            `json:"name"`
	Function   string            `json:"function_name"`
	Version    string            `json:"function_version"`
	ARN        string            `json:"arn"`
	Routing    []routing         `json:"routing_config"`
}

type canary struct {
	Percent    float64 `json:"percent_traffic"`
	Deployment string  `json:"deployment_id"`
}

type routing struct {
	Weights map[string]float64 `json:"additional_version_weights"`
}

// Stage is what Terraform left a stage at.
type Stage struct {
	Address    string
	Deployment string
	Variables  map[string]string
	// Canary is the share and the deployment of the canary; zero without.
	CanaryPercent    float64
	CanaryDeployment string
	// OfDeployment tells that the stage has no resource of its own.
	OfDeployment bool
}

// Alias is what Terraform left an alias at.
type Alias struct {
	Address, Version string
	Weights          map[string]float64
}

const (
	stageType      = "aws_api_gateway_stage"
	deploymentType = "aws_api_gateway_deployment"
	aliasType      = "aws_lambda_alias"
)

// Parse reads a state file (version 4), or the JSON of a state or a plan that
// terraform show -json prints.
func Parse(data []byte) (*State, error) {
	var file struct {
		Version   int             `json:"version"`
		Format    string          `json:"format_version"`
		Resources json.RawMessage `json:"resources"`
		Values    *shown          `json:"values"`
		Prior     *struct {
			Values *shown `json:"values"`
		} `json:"prior_state"`
		Planned *shown  `json:"planned_values"`
		Drift   []drift `json:"resource_drift"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("neither a state of Terraform nor what terraform show -json prints: %w", err)
	}
	s := &State{}
	switch {
	case file.Prior != nil || file.Planned != nil:
		s.Planned = true
		if file.Prior != nil && file.Prior.Values != nil {
			s.add(file.Prior.Values.Root)
		}
		s.before(file.Drift)
	case file.Values != nil:
		s.add(file.Values.Root)
	case file.Format != "": // an empty state
	case file.Version == stateVersion:
		return s, s.read(file.Resources)
	default:
		return nil, errors.New("neither a state of Terraform (version 4) nor what terraform show -json prints")
	}
	return s, nil
}

// stateVersion is the version of state files since Terraform 0.12.
const stateVersion = 4

// shown is what terraform show -json prints of a state.
type shown struct {
	Root module `json:"root_module"`
}

type module struct {
	Resources []resource `json:"resources"`
	Children  []module   `json:"child_modules"`
}

// drift is what Terraform found changed outside of it.
type drift struct {
	Address string
	Change  struct{ Before values }
}

// UnmarshalJSON leaves alone the attributes of types that don't matter, whose
// members of these names may be anything.
func (r *resource) UnmarshalJSON(data []byte) error {
	var raw struct {
		Address, Mode, Type string
		Values              json.RawMessage
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	r.Address, r.Type = raw.Address, raw.Type
	if raw.Mode != "managed" || !matters(raw.Type) {
		return nil
	}
	return json.Unmarshal(raw.Values, &r.Values)
}

// UnmarshalJSON does the same for drift.
func (d *drift) UnmarshalJSON(data []byte) error {
	var raw struct {
		Address, Type string
		Change        struct{ Before json.RawMessage }
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	d.Address = raw.Address
	if !matters(raw.Type) || len(raw.Change.Before) == 0 {
		return nil
	}
	return json.Unmarshal(raw.Change.Before, &d.Change.Before)
}

func matters(kind string) bool {
	return kind == stageType || kind == deploymentType || kind == aliasType
}

func (s *State) add(m module) {
	for _, r := range m.Resources {
		if matters(r.Type) {
			s.resources = append(s.resources, r)
		}
	}
	for _, c := range m.Children {
		s.add(c)
	}
}

// before puts what was there before others changed it in place of what a
// refresh found.
func (s *State) before(all []drift) {
	for _, d := range all {
		for i := range s.resources {
			if r := &s.resources[i]; r.Address == d.Address {
				r.Values = d.Change.Before
			}
		}
	}
}

// read reads the resources of a state file.
func (s *State) read(data json.RawMessage) error {
	var all []struct {
		Module, Mode, Type, Name string
		Instances                []struct {
			Key        any             `json:"index_key"`
			Attributes json.RawMessage `json:"attributes"`
		}
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &all); err != nil {
			return err
		}
	}
	for _, r := range all {
		if r.Mode != "managed" || !matters(r.Type) {
			continue
		}
		for _, i := range r.Instances {
			found := resource{Type: r.Type, Address: r.Type + "." + r.Name}
			if r.Module != "" {
				found.Address = r.Module + "." + found.Address
			}
			switch key := i.Key.(type) {
			case string:
				found.Address += fmt.Sprintf("[%q]", key)
			case float64:
				found.Address += fmt.Sprintf("[%g]", key)
			}
			if err := json.Unmarshal(i.Attributes, &found.Values); err != nil {
				return fmt.Errorf("%s: %w", found.Address, err)
			}
			s.resources = append(s.resources, found)
		}
	}
	return nil
}

package policy

import "slices"

// compile builds the Document of a checked rawDocument.
func compile(raw *rawDocument) (*Document, error) {
	d := &Document{version: raw.version, id: raw.id}
	if d.version == "" {
		d.version = Version2008
	}
	vars := d.version == Version2012
	for i := range raw.statements {
		s, ok := compileStatement(&raw.statements[i], vars)
		if !ok {
			return nil, malformed("The policy failed legacy parsing")
		}
		d.statements = append(d.statements, s)
		d.readsContext = d.readsContext || len(s.conditions) > 0 || slices.ContainsFunc(s.resources, func(g glob) bool { return g.hasVars })
	}
	return d, nil
}

func compileStatement(raw *rawStatement, vars bool) (statement, bool) {
	s := statement{sid: raw.sid, effect: Effect(raw.effect == "Allow")}
	if raw.notAction != nil {
		s.actions, s.notAction = compileActions(*raw.notAction), true
	} else {
		s.actions = compileActions(*raw.action)
	}
	if !compileResources(raw, &s, vars) {
		return s, false
	}
	refs := raw.principal
	if raw.hasNot {
		refs, s.notPrincipal = raw.notPrincipal, true
	}
	if raw.hasPrincipal || raw.hasNot {
		s.principals = &principalSet{}
		for _, ref := range refs {
			if !s.principals.add(ref) {
				return s, false
			}
		}
	}
	for _, c := range raw.conditions {
		compiled, ok := compileCondition(c.op, c.key, c.values, vars)
		if !ok {
			return s, false
		}
		s.conditions = append(s.conditions, compiled)
	}
	return s, true
}

func compileResources(raw *rawStatement, s *statement, vars bool) bool {
	list := raw.resource
	if raw.notResource != nil {
		list, s.notResource = raw.notResource, true
	}
	s.anyResource = list == nil
	if list == nil {
		return true
	}
	for _, text := range *list {
		if text == "*" && !s.notResource {
			s.anyResource = true
		}
		g, ok := compileGlob(text, true, vars)
		if !ok {
			return false
		}
		s.resources = append(s.resources, g)
	}
	return true
}

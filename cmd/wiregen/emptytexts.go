package main

// markEmptyTexts marks the templates of API Gateway's integration responses:
// a template that is an empty text passes bodies through, and is written as
// null (recorded).
func (m *Model) markEmptyTexts() {
	s, ok := m.Shapes["IntegrationResponse"]
	if !ok {
		return
	}
	for i := range s.Members {
		if s.Members[i].Name == "responseTemplates" {
			s.Members[i].EmptyIsNull = true
		}
	}
}

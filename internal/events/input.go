package events

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/events/input"
)

// The variables that every template knows (User Guide: "Amazon EventBridge
// input transformation").
const (
	ruleARNVariable  = "aws.events.rule-arn"
	ruleNameVariable = "aws.events.rule-name"
	ingestedVariable = "aws.events.event.ingestion-time"
	bareVariable     = "aws.events.event"
	eventVariable    = "aws.events.event.json"
)

// checkInput checks what a target is to be given.
func checkInput(t *eventsapi.Target) error {
	given := 0
	for _, is := range []bool{t.Input != nil, t.InputPath != nil, t.InputTransformer != nil} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		return invalid("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", *t.Id)
	case t.Input != nil && !jsontext.Value(*t.Input).IsValid(jsontext.AllowDuplicateNames(true)):
		return invalid("JSON syntax error in input for target %s.", *t.Id)
	case t.InputPath != nil:
		if _, err := input.ParsePath(*t.InputPath); err != nil {
			return invalid("Invalid InputPath for target %s.", *t.Id)
		}
	case t.InputTransformer != nil:
		_, err := compileTransformer(t.InputTransformer)
		return transformerError(*t.Id, err)
	}
	return nil
}

func compileTransformer(t *eventsapi.InputTransformer) (*input.Template, error) {
	return input.Compile(t.InputPathsMap, *t.InputTemplate, ruleARNVariable, ruleNameVariable, ingestedVariable, bareVariable, eventVariable)
}

// transformerError words what is wrong with a target's transformer.
func transformerError(id string, err error) error {
	if err == nil {
		return nil
	}
	if undefined, ok := errors.AsType[*input.PlaceholderError](err); ok {
		return invalid("InputTemplate for target %s contains invalid placeholder %s.", id, undefined.Name)
	}
	if syntax, ok := errors.AsType[*input.SyntaxError](err); ok {
		return invalid("Invalid InputTemplate for target %s : [Source: (String)\"%s\"; line: 1, column: %d].", id, syntax.Source, syntax.Column)
	}
	return invalid("Invalid InputPathsMap for target %s.", id)
}

// inputOf is what a target gets of an event.
func inputOf(r *ruleRecord, t *eventsapi.Target, e *event) ([]byte, error) {
	if t.Input != nil {
		return []byte(*t.Input), nil
	}
	text, err := e.text()
	if err != nil {
		return nil, err
	}
	switch {
	case t.InputPath != nil:
		p, err := input.ParsePath(*t.InputPath)
		if err != nil {
			return nil, err
		}
		return p.Pick(text)
	case t.InputTransformer != nil:
		template, err := compileTransformer(t.InputTransformer)
		if err != nil {
			return nil, err
		}
		variables, err := variablesOf(r, e, text)
		if err != nil {
			return nil, err
		}
		return template.Render(text, variables)
	}
	return text, nil
}

// bareEvent is an event without its detail, in the form that AWS gives it
// there.
type bareEvent struct {
	ID         string   `json:"id"`
	Account    string   `json:"account"`
	DetailType string   `json:"detailType"`
	Time       string   `json:"time"`
	Source     string   `json:"source"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Version    string   `json:"version"`
}

func variablesOf(r *ruleRecord, e *event, text []byte) (input.Variables, error) {
	bare, err := json.Marshal(&bareEvent{e.ID, e.Account, e.DetailType, e.Time.UTC().Format(eventTime), e.Source, e.Region, e.Resources, "0"}, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, err
	}
	quoted := func(text string) jsontext.Value {
		out, _ := jsontext.AppendQuote(nil, text) // ARNs and names are UTF-8
		return out
	}
	return input.Variables{
		ruleARNVariable: quoted(r.place().arn()), ruleNameVariable: quoted(r.Name),
		ingestedVariable: quoted(e.Ingested.UTC().Format(eventTime)), bareVariable: bare, eventVariable: text,
	}, nil
}

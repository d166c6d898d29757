package sns

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/snsapi"
)

// document is a topic's policy with its statements as they are.
type document struct {
	Version   string           `json:"Version,omitzero"`
	ID        string           `json:"Id,omitzero"`
	Statement []jsontext.Value `json:"Statement"`
}

// permission is a statement that AddPermission writes.
type permission struct {
	Sid       string     `json:"Sid"`
	Effect    string     `json:"Effect"`
	Principal principals `json:"Principal"`
	Action    oneOrMany  `json:"Action"`
	Resource  string     `json:"Resource"`
}

type principals struct {
	AWS oneOrMany `json:"AWS"`
}

// oneOrMany is written as a text if it is one.
type oneOrMany []string

// MarshalJSON implements json.Marshaler.
func (l oneOrMany) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return json.Marshal(l[0])
	}
	return json.Marshal([]string(l))
}

// AddPermission adds a statement to a topic's policy that lets accounts act on it.
func (s *Service) AddPermission(ctx context.Context, in *snsapi.AddPermissionInput) error {
	return s.edit(ctx, "TopicArn", in.TopicArn, func(t *topicRecord) error {
		doc, err := t.document()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(doc.Statement, named(*in.Label)) {
			return invalid("Statement already exists")
		}
		added := permission{Sid: *in.Label, Effect: "Allow", Resource: t.place().arn()}
		for _, account := range in.AWSAccountId {
			added.Principal.AWS = append(added.Principal.AWS, "arn:aws:iam::"+account+":root")
		}
		for _, action := range in.ActionName {
			added.Action = append(added.Action, "SNS:"+action)
		}
		if len(in.AWSAccountId) == 0 || len(in.ActionName) == 0 {
			return invalid("Policy statement must have a principal and an action")
		}
		text, err := json.Marshal(&added)
		if err != nil {
			return err
		}
		doc.Statement = append(doc.Statement, text)
		return t.setDocument(doc)
	})
}

// RemovePermission removes a statement from a topic's policy.
func (s *Service) RemovePermission(ctx context.Context, in *snsapi.RemovePermissionInput) error {
	return s.edit(ctx, "TopicArn", in.TopicArn, func(t *topicRecord) error {
		doc, err := t.document()
		if err != nil {
			return err
		}
		doc.Statement = slices.DeleteFunc(doc.Statement, named(*in.Label))
		return t.setDocument(doc)
	})
}

func (t *topicRecord) document() (*document, error) {
	doc := &document{}
	return doc, json.Unmarshal([]byte(t.policy()), doc)
}

func (t *topicRecord) setDocument(doc *document) error {
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	return t.set("", attrPolicy, string(text))
}

// named tells whether a statement has a label.
func named(label string) func(jsontext.Value) bool {
	return func(statement jsontext.Value) bool {
		var s struct{ Sid string }
		return json.Unmarshal(statement, &s) == nil && s.Sid == label
	}
}

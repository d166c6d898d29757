package dynamodb

import (
	"strings"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/dynamodb/expr"
	"github.com/butai-dev/butai/internal/wire"
)

// parameters are the expression parameters of a request, and the names of
// the legacy parameters that it also has.
type parameters struct {
	update, condition, key, filter, projection *string

	names  map[string]string
	values map[string]attr.Value
	legacy []string
}

// expressions are the parameters parsed; those absent are nil.
type expressions struct {
	update     *expr.Update
	condition  *expr.Condition
	key        *expr.KeyCondition
	filter     *expr.Condition
	projection *expr.Projection
}

// given lists the expression parameters that are present.
func (p *parameters) given() []string {
	var names []string
	for _, e := range []struct {
		name string
		text *string
	}{
		{expr.ProjectionExpression, p.projection}, {expr.FilterExpression, p.filter}, {expr.UpdateExpression, p.update},
		{expr.ConditionExpression, p.condition}, {expr.KeyConditionExpression, p.key},
	} {
		if e.text != nil {
			names = append(names, e.name)
		}
	}
	return names
}

// check refuses parameters that do not go together.
func (p *parameters) check() error {
	given := p.given()
	if len(given) > 0 && len(p.legacy) > 0 {
		return complaint("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {" +
			strings.Join(p.legacy, ", ") + "} Expression parameters: {" + strings.Join(given, ", ") + "}")
	}
	if p.names != nil && len(given) == 0 {
		return complaint("ExpressionAttributeNames can only be specified when using expressions")
	}
	if p.values != nil && p.update == nil && p.condition == nil && p.key == nil && p.filter == nil {
		return complaint("ExpressionAttributeValues can only be specified when using expressions")
	}
	return nil
}

func complaint(text string) error { return &attr.ValidationError{Message: text} }

// parse reads the expressions in the order in which DynamoDB looks at them.
// Errors are *attr.ValidationError.
func (p *parameters) parse() (e expressions, err error) {
	if err := p.check(); err != nil {
		return e, err
	}
	if err := checkValues(p.values); err != nil {
		return e, err
	}
	s, err := expr.NewScope(p.names, p.values)
	if err != nil {
		return e, err
	}
	if p.update != nil {
		if e.update, err = s.Update(*p.update); err != nil {
			return e, err
		}
	}
	if p.condition != nil {
		if e.condition, err = s.Condition(expr.ConditionExpression, *p.condition); err != nil {
			return e, err
		}
	}
	if p.key != nil {
		if e.key, err = s.KeyCondition(*p.key); err != nil {
			return e, err
		}
	}
	if p.filter != nil {
		if e.filter, err = s.Condition(expr.FilterExpression, *p.filter); err != nil {
			return e, err
		}
	}
	if p.projection != nil {
		if e.projection, err = s.Projection(*p.projection); err != nil {
			return e, err
		}
	}
	return e, s.CheckUsed()
}

// checkValues validates expression values; the older layer names the value.
func checkValues(values attr.Item) error {
	var first *attr.ValidationError
	at := ""
	for name, v := range values {
		if bad, ok := v.Validate().(*attr.ValidationError); ok && (first == nil || name < at) {
			first, at = bad, name
		}
	}
	if first == nil {
		return nil
	}
	return &attr.ValidationError{Message: first.Message,
		Older: "ExpressionAttributeValues contains invalid value: " + first.OlderText() + " for key " + at}
}

// legacyNames returns the names of the legacy parameters that are present.
func legacyNames(present ...func() (string, bool)) []string {
	var names []string
	for _, p := range present {
		if name, ok := p(); ok {
			names = append(names, name)
		}
	}
	return names
}

func have(name string, ok bool) func() (string, bool) {
	return func() (string, bool) { return name, ok }
}

// expected returns Expected as a condition; nil if the request has none.
func expected(in map[string]dynamodbapi.ExpectedAttributeValue, operator *string) (*expr.Condition, error) {
	if in == nil {
		if operator != nil {
			return nil, complaint("ConditionalOperator cannot be used without Filter or Expected")
		}
		return nil, nil
	}
	m := make(map[string]expr.LegacyExpectation, len(in))
	for name, e := range in {
		if err := validateAll(e.Value, e.AttributeValueList); err != nil {
			return nil, err
		}
		m[name] = expr.LegacyExpectation{Exists: e.Exists, Value: e.Value, Op: e.ComparisonOperator, Values: e.AttributeValueList}
	}
	return expr.LegacyExpected(m, wire.Val(operator) == dynamodbapi.ConditionalOperatorOR)
}

// filters returns QueryFilter or ScanFilter as a condition; nil if the
// request has none.
func filters(in map[string]dynamodbapi.Condition, operator *string) (*expr.Condition, error) {
	if in == nil {
		if operator != nil {
			return nil, complaint("ConditionalOperator cannot be used without Filter or Expected")
		}
		return nil, nil
	}
	m, err := tests(in)
	if err != nil {
		return nil, err
	}
	return expr.LegacyFilter(m, wire.Val(operator) == dynamodbapi.ConditionalOperatorOR)
}

func tests(in map[string]dynamodbapi.Condition) (map[string]expr.LegacyTest, error) {
	m := make(map[string]expr.LegacyTest, len(in))
	for name, c := range in {
		if err := validateAll(nil, c.AttributeValueList); err != nil {
			return nil, err
		}
		m[name] = expr.LegacyTest{Op: wire.Val(c.ComparisonOperator), Values: c.AttributeValueList}
	}
	return m, nil
}

func validateAll(one *attr.Value, list []attr.Value) error {
	if one != nil {
		if err := one.Validate(); err != nil {
			return err
		}
	}
	for _, v := range list {
		if err := v.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// updates returns AttributeUpdates as an update.
func updates(in map[string]dynamodbapi.AttributeValueUpdate) (*expr.Update, error) {
	m := make(map[string]expr.LegacyChange, len(in))
	for name, u := range in {
		if err := validateAll(u.Value, nil); err != nil {
			return nil, err
		}
		m[name] = expr.LegacyChange{Action: wire.Val(u.Action), Value: u.Value}
	}
	return expr.LegacyUpdate(m)
}

// projection returns AttributesToGet as a projection; nil if the request has
// none.
func projection(names []string) (*expr.Projection, error) {
	if names == nil {
		return nil, nil
	}
	return expr.LegacyProjection(names)
}

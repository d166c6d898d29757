package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/api/dynamodbstreamsapi"
	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/api/stsapi"
	"github.com/butai-dev/butai/internal/server"
	"github.com/butai-dev/butai/internal/wire"
)

var models = []*wire.ServiceModel{
	&acmapi.Service, &apigatewayapi.Service, &apigatewayv2api.Service, &cloudwatchapi.Service, &dynamodbapi.Service, &dynamodbstreamsapi.Service, &ecrapi.Service, &eventsapi.Service, &iamapi.Service, &kmsapi.Service, &lambdaapi.Service,
	&logsapi.Service, &route53api.Service, &s3api.Service, &secretsmanagerapi.Service, &snsapi.Service, &sqsapi.Service, &ssmapi.Service, &stsapi.Service,
}

// readers are the rooms beyond a service's own that read its shapes.
var readers = map[string][]string{
	"apigateway": {"gateway"}, // serves the frozen copies of its shapes
	"sts":        {"iam"},

	"apigatewayv2":    {"apigateway"}, // of whose custom domains it makes the routing rules
	"dynamodbstreams": {"dynamodb"},   // whose changes they are
}

const (
	tagged = "tags are kept whole and given back as they came"
	routed = "records are kept whole; how Route 53 chooses among them shows only in DNS answers, which butai doesn't give"

	unsigned = "there is no AWS Signer, so none of the publishers can have signed any code"
)

// descriptive are members that a service keeps and gives back with the rest
// of their structure, or that can have no effect, by service and
// shape.member.
var descriptive = map[string]map[string]string{
	"events": {"Tag.Value": tagged},
	"iam":    {"Tag.Value": tagged},
	"lambda": {"AllowedPublishers.SigningProfileVersionArns": unsigned},
	"route53": {
		"Tag.Value": tagged, "ResourceRecordSet.Weight": routed, "ResourceRecordSet.Region": routed,
		"ResourceRecordSet.GeoLocation": routed, "GeoLocation.ContinentCode": routed, "GeoLocation.CountryCode": routed,
		"GeoLocation.SubdivisionCode": routed, "ResourceRecordSet.Failover": routed, "ResourceRecordSet.MultiValueAnswer": routed,
		"AliasTarget.HostedZoneId": routed, "AliasTarget.EvaluateTargetHealth": routed,
	},
}

// reflected are the members that a service reads by name at run time, as
// prefixes of their names.
var reflected = map[string][]string{
	"s3": {"Checksum", "Response"}, // checksum.go and get.go loop over the kinds of checksum and the overridable headers
}

// TestParametersAreHonoured: no member of the input of a built operation may
// be accepted and ignored. Each must be read by the service's code, refused,
// or be kept whole for a reason.
func TestParametersAreHonoured(t *testing.T) {
	t.Parallel()
	for _, coverage := range server.Coverage() {
		t.Run(coverage.Name, func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(models, func(m *wire.ServiceModel) bool { return m.Name == coverage.Name })
			if i < 0 {
				t.Fatalf("no model of %s is known here", coverage.Name)
			}
			h := honesty{
				t: t, model: models[i], refused: refusals(coverage.Parameters), kept: descriptive[coverage.Name],
				reflected: reflected[coverage.Name],
				read:      fieldsRead(t, append(readers[coverage.Name], coverage.Name+"/...")), keptUsed: map[string]bool{},
			}
			for _, name := range coverage.Built {
				h.operation(h.model.Operation(name))
			}
			for name := range h.kept {
				if !h.keptUsed[name] {
					t.Errorf("descriptive names %s without need", name)
				}
			}
		})
	}
}

// refusals are the refused members as operation.path; the operation is empty
// where every one is meant.
func refusals(parameters []string) map[string]bool {
	refused := map[string]bool{}
	for _, p := range parameters {
		path, _, _ := strings.Cut(p, ":")
		refused[path] = true
	}
	return refused
}

// TestRefusalsNameMembers: a refusal of a misspelt member refuses nothing.
func TestRefusalsNameMembers(t *testing.T) {
	t.Parallel()
	for _, coverage := range server.Coverage() {
		model := models[slices.IndexFunc(models, func(m *wire.ServiceModel) bool { return m.Name == coverage.Name })]
		for name := range refusals(coverage.Parameters) {
			path := strings.Split(name, ".")
			found := false
			for i := range model.Operations {
				op := &model.Operations[i]
				if op.Input >= 0 && (path[0] == "" || path[0] == op.Name) && slices.Contains(coverage.Built, op.Name) {
					found = found || hasMember(model.Schema, op.Input, path[1:])
				}
			}
			if !found {
				t.Errorf("%s refuses %s, which no built operation has", coverage.Name, name)
			}
		}
	}
}

func hasMember(s *wire.Schema, id wire.ShapeID, path []string) bool {
	if len(path) == 0 {
		return true
	}
	if id = nested(s, id); id < 0 {
		return false
	}
	for _, m := range s.Shape(id).Members {
		if m.Name == path[0] {
			return hasMember(s, m.Shape, path[1:])
		}
	}
	return false
}

type honesty struct {
	t         *testing.T
	model     *wire.ServiceModel
	refused   map[string]bool
	kept      map[string]string
	reflected []string
	keptUsed  map[string]bool
	read      map[string]bool // Shape.Field
}

func (h *honesty) operation(op *wire.Operation) {
	if op.Input >= 0 {
		h.structure(op, op.Input, nil, nil)
	}
}

func (h *honesty) structure(op *wire.Operation, id wire.ShapeID, path []string, above []wire.ShapeID) {
	shape := h.model.Schema.Shape(id)
	if slices.Contains(above, id) {
		return
	}
	above = append(above, id)
	for i := range shape.Members {
		m := &shape.Members[i]
		inner := append(slices.Clone(path), m.Name)
		switch {
		case h.refused[op.Name+"."+strings.Join(inner, ".")] || h.refused["."+strings.Join(inner, ".")]:
			continue
		case !h.read[shape.Name+"."+m.Field] && !h.isKept(shape.Name+"."+m.Name) && !h.isReflected(m.Name) && !h.partlyRefused(op, inner):
			h.t.Errorf("%s accepts %s (%s.%s) and ignores it: honour it or list it in Refused()",
				op.Name, strings.Join(inner, "."), shape.Name, m.Name)
			continue
		}
		if next := nested(h.model.Schema, m.Shape); next >= 0 {
			h.structure(op, next, inner, above)
		}
	}
}

// partlyRefused reports whether members of the member at path are refused;
// then the rest of them must be read or refused too.
func (h *honesty) partlyRefused(op *wire.Operation, path []string) bool {
	prefix := strings.Join(path, ".") + "."
	for name := range h.refused {
		if strings.HasPrefix(name, op.Name+"."+prefix) || strings.HasPrefix(name, "."+prefix) {
			return true
		}
	}
	return false
}

func (h *honesty) isKept(name string) bool {
	_, ok := h.kept[name]
	if ok {
		h.keptUsed[name] = true
	}
	return ok
}

func (h *honesty) isReflected(member string) bool {
	return slices.ContainsFunc(h.reflected, func(prefix string) bool { return strings.HasPrefix(member, prefix) })
}

// nested returns the structure inside a member's lists and maps, or -1.
func nested(s *wire.Schema, id wire.ShapeID) wire.ShapeID {
	for {
		switch shape := s.Shape(id); shape.Kind {
		case wire.List:
			id = shape.Element.Shape
		case wire.Map:
			id = shape.Value.Shape
		case wire.Structure:
			return id
		default:
			return -1
		}
	}
}

// fieldsRead type-checks rooms and returns which fields of generated shapes
// their code reads, as Shape.Field.
func fieldsRead(t *testing.T, rooms []string) map[string]bool {
	t.Helper()
	read := map[string]bool{}
	for _, p := range theHouse(t).packages {
		if within(p.room, rooms...) {
			for name := range readBy(t, p) {
				read[name] = true
			}
		}
	}
	return read
}

func readBy(t *testing.T, p *pkg) map[string]bool {
	t.Helper()
	h := theHouse(t)
	var files []*ast.File
	for _, f := range h.files {
		if f.pkg == p && slices.Contains(p.GoFiles, baseName(f.name)) {
			files = append(files, f.File)
		}
	}
	info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}}
	config := types.Config{Importer: importer.ForCompiler(h.fset, "gc", exported)}
	if _, err := config.Check(p.ImportPath, h.fset, files, info); err != nil {
		t.Fatalf("type-check %s: %v", p.room, err)
	}
	written := map[ast.Expr]bool{}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if assign, ok := n.(*ast.AssignStmt); ok && assign.Tok == token.ASSIGN {
				for _, target := range assign.Lhs {
					written[target] = true
				}
			}
			return true
		})
	}
	read := map[string]bool{}
	for expr, sel := range info.Selections {
		if sel.Kind() != types.FieldVal || written[expr] {
			continue
		}
		if shape := owner(sel); shape != "" {
			read[shape+"."+sel.Obj().Name()] = true
		}
	}
	return read
}

func baseName(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// owner is the generated type whose field is selected, or "".
func owner(sel *types.Selection) string {
	at := sel.Recv()
	for _, i := range sel.Index() {
		if p, ok := at.Underlying().(*types.Pointer); ok {
			at = p.Elem()
		}
		s, ok := at.Underlying().(*types.Struct)
		if !ok {
			return ""
		}
		if s.Field(i) == sel.Obj() {
			break
		}
		at = s.Field(i).Type()
	}
	named, ok := types.Unalias(at).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || !strings.HasPrefix(named.Obj().Pkg().Path(), module+"internal/api/") {
		return ""
	}
	return named.Obj().Name()
}

// exports finds the compiled form of every package that ours import.
var exports = sync.OnceValues(func() (map[string]string, error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export", module+"internal/...").Output()
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		found[p.ImportPath] = p.Export
	}
})

func exported(path string) (io.ReadCloser, error) {
	found, err := exports()
	if err != nil {
		return nil, err
	}
	return os.Open(found[path])
}

package apigateway

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// keyColumns are the columns of an API key file, in lower case (developer
// guide, "API Gateway API key file format").
var keyColumns = []string{"name", "key", "description", "enabled", "usageplanids"}

// importedKey is a row of an API key file.
type importedKey struct {
	key   *apigatewayapi.ApiKey
	plans []string
}

// ImportApiKeys makes keys from a comma-separated file. A row that can't be
// imported is a warning; with failonwarnings nothing is imported then.
func (s *Service) ImportApiKeys(ctx context.Context, in *apigatewayapi.ImportApiKeysRequest) (*apigatewayapi.ApiKeyIds, error) {
	sc := scopeOf(ctx)
	if *in.Format != apigatewayapi.ApiKeysFormatCsv {
		return nil, badRequest("Invalid format specified. Valid options are %s", apigatewayapi.ApiKeysFormatCsv)
	}
	rows, err := s.parseKeys(in.Body)
	if err != nil {
		return nil, err
	}
	out, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.ApiKeyIds, error) {
		out := &apigatewayapi.ApiKeyIds{Ids: []string{}, Warnings: []string{}}
		for i, row := range rows {
			problem, err := importKey(tx, sc, row)
			if err != nil {
				return nil, err
			}
			if problem != "" {
				out.Warnings = append(out.Warnings, fmt.Sprintf("Row %d: %s", i+1, problem))
				continue
			}
			out.Ids = append(out.Ids, *row.key.Id)
		}
		if wire.Val(in.FailOnWarnings) && len(out.Warnings) > 0 {
			return nil, badRequest("Failed to import API keys: %s", strings.Join(out.Warnings, "; "))
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	return out, s.publishPlans(ctx, sc)
}

// parseKeys reads the file; columns are told by their names, in any order and
// spelling.
func (s *Service) parseKeys(file []byte) ([]importedKey, error) {
	r := csv.NewReader(bytes.NewReader(file))
	r.TrimLeadingSpace = true
	header, err := r.Read()
	if err != nil {
		return nil, badRequest("Unable to parse the API key file: %s", err)
	}
	column := map[string]int{}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(keyColumns, name) {
			return nil, badRequest("Unknown column in the API key file: %s", header[i])
		}
		column[name] = i
	}
	for _, needed := range keyColumns[:2] {
		if _, ok := column[needed]; !ok {
			return nil, badRequest("Required column is missing in the API key file: %s", needed)
		}
	}
	var rows []importedKey
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, badRequest("Unable to parse the API key file: %s", err)
		}
		cell := func(name string) *string {
			if i, ok := column[name]; ok {
				return nonEmpty(wire.Ptr(strings.TrimSpace(record[i])))
			}
			return nil
		}
		row := importedKey{key: &apigatewayapi.ApiKey{
			Id: wire.Ptr(ident.Lower(10)), Name: cell("name"), Value: wire.Ptr(wire.Val(cell("key"))), Description: cell("description"),
			Enabled:     wire.Ptr(strings.EqualFold(wire.Val(cell("enabled")), "true")),
			CreatedDate: s.now(), LastUpdatedDate: s.now(), StageKeys: []string{},
		}}
		row.plans = strings.FieldsFunc(wire.Val(cell("usageplanids")), func(r rune) bool { return r == ',' || r == ' ' })
		rows = append(rows, row)
	}
}

// importKey stores a row's key and subscribes it. The problem says why the row
// isn't imported.
func importKey(tx store.Tx, sc scope, row importedKey) (problem string, err error) {
	var plans []*usagePlan
	for _, id := range row.plans {
		plan, err := getPlan(tx, sc, id)
		if err != nil {
			return refusal(err)
		}
		plans = append(plans, plan)
	}
	if err := addKey(tx, sc, row.key); err != nil {
		return refusal(err)
	}
	for _, plan := range plans {
		if err := subscribe(tx, sc, &plan.Plan, *row.key.Id); err != nil {
			return refusal(err)
		}
	}
	return "", nil
}

// refusal is the message of a modelled error; other errors stay errors.
func refusal(err error) (string, error) {
	var bad *apigatewayapi.BadRequestException
	var missing *apigatewayapi.NotFoundException
	var taken *apigatewayapi.ConflictException
	switch {
	case errors.As(err, &bad):
		return *bad.Message, nil
	case errors.As(err, &missing):
		return *missing.Message, nil
	case errors.As(err, &taken):
		return *taken.Message, nil
	}
	return "", err
}

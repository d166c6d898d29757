package durability

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// writer is one client. It remembers what was acknowledged to it; what it was
// doing when the server died may have happened or not, but wholly.
type writer struct {
	*world
	id    int
	turn  int // counts writes, acknowledged or not
	steps []func(ctx context.Context, name string) error

	policies  map[string]string // by role
	roles     []string
	aliases   []string
	resources []string
	items     map[string]string
	counter   int // of this writer's counter
	pair      int // last value of both halves
	deployed  int // deployments to this writer's stage
	last      string

	// What was tried, which is at most one more than what was acknowledged.
	triedPair   int
	triedPolicy string
}

func newWriter(w *world, id int) *writer {
	wr := &writer{world: w, id: id, policies: map[string]string{}, items: map[string]string{}}
	wr.steps = []func(context.Context, string) error{
		wr.putItem, wr.createRole, wr.count, wr.putPolicy, wr.writePair, wr.createAlias, wr.createResource,
	}
	return wr
}

// deployEvery is how often a writer deploys the API, which copies all of it.
const deployEvery = 30

// write does the next write and takes note of its acknowledgement.
func (w *writer) write(ctx context.Context) error {
	w.turn++
	name := fmt.Sprintf("w%d-%d", w.id, w.turn)
	if w.turn%deployEvery == 0 {
		return w.deploy(ctx, name)
	}
	return w.steps[w.turn%len(w.steps)](ctx, name)
}

func (w *writer) putItem(ctx context.Context, name string) error {
	_, err := w.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: item(name, name)})
	if err == nil {
		w.items[name] = name
	}
	return err
}

func (w *writer) createRole(ctx context.Context, name string) error {
	_, err := w.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trust)})
	if err == nil {
		w.roles = append(w.roles, name)
	}
	return err
}

func (w *writer) putPolicy(ctx context.Context, name string) error {
	if len(w.roles) == 0 {
		return w.createRole(ctx, name)
	}
	role := w.roles[len(w.roles)-1]
	document := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Sid": "s%d", "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}]}`, w.turn)
	w.triedPolicy = document
	_, err := w.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("p"), PolicyDocument: &document})
	if err == nil {
		w.policies[role] = document
	}
	return err
}

func (w *writer) createAlias(ctx context.Context, name string) error {
	_, err := w.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String(function), Name: &name, FunctionVersion: aws.String("$LATEST")})
	if err == nil {
		w.aliases = append(w.aliases, name)
	}
	return err
}

func (w *writer) createResource(ctx context.Context, name string) error {
	_, err := w.gateway.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: &w.api, ParentId: &w.root, PathPart: &name})
	if err == nil {
		w.resources = append(w.resources, "/"+name)
	}
	return err
}

// count adds one to this writer's counter and to everybody's.
func (w *writer) count(ctx context.Context, _ string) error {
	add := func(id string) dbtypes.TransactWriteItem {
		return dbtypes.TransactWriteItem{Update: &dbtypes.Update{
			TableName: aws.String(table), Key: key(id), UpdateExpression: aws.String("ADD n :one"),
			ExpressionAttributeValues: map[string]dbtypes.AttributeValue{":one": number(1)},
		}}
	}
	if w.counter%2 == 0 { // alone
		u := add(w.counterID()).Update
		_, err := w.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: u.TableName, Key: u.Key, UpdateExpression: u.UpdateExpression, ExpressionAttributeValues: u.ExpressionAttributeValues,
		})
		if err == nil {
			w.counter++
		}
		return err
	}
	_, err := w.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: []dbtypes.TransactWriteItem{add(w.counterID()), add("together-" + strconv.Itoa(w.id))},
	})
	if err == nil {
		w.counter++
	}
	return err
}

func (w *writer) counterID() string { return "counter-" + strconv.Itoa(w.id) }

// writePair writes one value into two items in one transaction.
func (w *writer) writePair(ctx context.Context, _ string) error {
	w.triedPair = w.pair + 1
	put := func(side string) dbtypes.TransactWriteItem {
		return dbtypes.TransactWriteItem{Put: &dbtypes.Put{
			TableName: aws.String(table),
			Item:      item(side+"-"+strconv.Itoa(w.id), strconv.Itoa(w.triedPair)),
		}}
	}
	_, err := w.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []dbtypes.TransactWriteItem{put("left"), put("right")}})
	if err == nil {
		w.pair = w.triedPair
	}
	return err
}

// deploy makes a deployment and leads this writer's stage to it, in one call.
func (w *writer) deploy(ctx context.Context, name string) error {
	out, err := w.gateway.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{
		RestApiId: &w.api, StageName: aws.String(w.stage()), Description: &name,
	})
	if err == nil {
		w.deployed++
		w.last = *out.Id
	}
	return err
}

func (w *writer) stage() string { return "stage" + strconv.Itoa(w.id) }

// check compares the server with what was acknowledged.
func (w *writer) check(t *testing.T) {
	t.Helper()
	for id, want := range w.items {
		if got := w.value(t, id); got != want {
			t.Errorf("item %s is %q, want %q", id, got, want)
		}
	}
	w.checkCounter(t)
	left, right := w.value(t, "left-"+strconv.Itoa(w.id)), w.value(t, "right-"+strconv.Itoa(w.id))
	if left != right {
		t.Errorf("writer %d: half a transaction: left %q, right %q", w.id, left, right)
	}
	if n := atoi(t, left); n < w.pair || n > w.triedPair {
		t.Errorf("writer %d: the pair is at %d, acknowledged was %d", w.id, n, w.pair)
	}
	w.pair, w.triedPair = atoi(t, left), atoi(t, left)
	for role, want := range w.policies { // each text has its turn's number
		got := w.policy(t, role)
		if got != want && got != w.triedPolicy {
			t.Errorf("policy of role %s is %q, want %q", role, got, want)
		}
		w.policies[role] = got
	}
	w.checkStage(t)
}

// checkCounter expects the acknowledged count, or one more. Every second
// count was together with another counter.
func (w *writer) checkCounter(t *testing.T) {
	t.Helper()
	n, both := atoi(t, w.value(t, w.counterID())), atoi(t, w.value(t, "together-"+strconv.Itoa(w.id)))
	if n < w.counter || n > w.counter+1 {
		t.Errorf("writer %d: its counter is at %d, acknowledged was %d", w.id, n, w.counter)
	}
	if both != n/2 {
		t.Errorf("writer %d: half a transaction: its counters are at %d and %d", w.id, n, both)
	}
	w.counter = n
}

// checkStage expects the stage at its last deployment, or at one whose answer
// was lost, and that deployment to be there.
func (w *writer) checkStage(t *testing.T) {
	t.Helper()
	if w.deployed == 0 {
		return
	}
	stage, err := w.gateway.GetStage(t.Context(), &apigateway.GetStageInput{RestApiId: &w.api, StageName: aws.String(w.stage())})
	if err != nil {
		t.Errorf("writer %d: its stage: %v", w.id, err)
		return
	}
	d, err := w.gateway.GetDeployment(t.Context(), &apigateway.GetDeploymentInput{RestApiId: &w.api, DeploymentId: stage.DeploymentId})
	if err != nil {
		t.Errorf("writer %d: its stage leads to deployment %s: %v", w.id, *stage.DeploymentId, err)
		return
	}
	lost := fmt.Sprintf("w%d-%d", w.id, w.turn)
	if *d.Id != w.last && *d.Description != lost {
		t.Errorf("writer %d: its stage is at deployment %s (%s), the last acknowledged was %s", w.id, *d.Id, *d.Description, w.last)
	}
	w.last = *d.Id
}

// missing are the acknowledged names that are not in found.
func missing(acknowledged []string, found map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(acknowledged), func(name string) bool { return found[name] })
}

// keys of a map, in order.
func keys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }

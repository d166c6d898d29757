package lambda_test

import (
	"slices"
	"testing"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
)

func TestPublishing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	before := h.get(t, "")
	first := must(h.PublishVersion(as(t), &lambdaapi.PublishVersionRequest{FunctionName: wire.Ptr("example"), Description: wire.Ptr("mine")}))(t)
	if *first.Version != "1" || *first.FunctionArn != fnARN+":1" || *first.State != "Active" || *first.LastUpdateStatus != "Successful" || *first.Description != "mine" {
		t.Errorf("got %s", shape(t, first))
	}
	latest := h.get(t, "")
	if *latest.RevisionId == *before.RevisionId || *latest.RevisionId == *first.RevisionId || *latest.Description != "" {
		t.Errorf("$LATEST after publishing: %s", shape(t, latest))
	}
	again := must(h.PublishVersion(as(t), &lambdaapi.PublishVersionRequest{FunctionName: wire.Ptr("example"), Description: wire.Ptr("other")}))(t)
	if *again.Version != "1" || *again.RevisionId != *first.RevisionId || *again.Description != "mine" {
		t.Errorf("publishing the same again gave %s", shape(t, again))
	}
	if now := h.get(t, ""); *now.RevisionId != *latest.RevisionId {
		t.Error("publishing nothing new changed $LATEST")
	}
	h.updateCode(t, "one") // the same code
	if v := h.publish(t); *v.Version != "1" {
		t.Errorf("the same code uploaded again gave version %s", *v.Version)
	}
	must(h.UpdateFunctionConfiguration(as(t), &lambdaapi.UpdateFunctionConfigurationRequest{FunctionName: wire.Ptr("example"), Description: wire.Ptr("changed")}))(t)
	if v := h.publish(t); *v.Version != "2" {
		t.Errorf("a change of the description gave version %s", *v.Version)
	}
	if v := h.get(t, "1"); *v.Description != "mine" || *v.RevisionId != *first.RevisionId {
		t.Errorf("version 1 became %s", shape(t, v))
	}
}

func TestPublishingGuards(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	created := h.create(t)
	sha := *created.CodeSha256
	_, err := h.PublishVersion(as(t), &lambdaapi.PublishVersionRequest{FunctionName: wire.Ptr("example"), CodeSha256: wire.Ptr("other")})
	wantError(t, err, "InvalidParameterValueException: CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ("+sha+"). Please try again with the CodeSHA256 in $LATEST.")
	_, err = h.PublishVersion(as(t), &lambdaapi.PublishVersionRequest{FunctionName: wire.Ptr("example"), RevisionId: created.RevisionId})
	wantError(t, err, "PreconditionFailedException: The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	v := must(h.PublishVersion(as(t), &lambdaapi.PublishVersionRequest{FunctionName: wire.Ptr("example"), CodeSha256: &sha, RevisionId: h.get(t, "").RevisionId}))(t)
	if *v.Version != "1" {
		t.Errorf("got version %s", *v.Version)
	}
	_, err = h.PublishVersion(as(t), &lambdaapi.PublishVersionRequest{FunctionName: wire.Ptr("none")})
	wantError(t, err, "ResourceNotFoundException: Function not found: arn:aws:lambda:eu-west-1:123456789012:function:none")
}

func TestCreateWithPublish(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	created := h.create(t, func(in *lambdaapi.CreateFunctionRequest) { in.Publish = wire.Ptr(true) })
	if *created.Version != "1" || *created.FunctionArn != fnARN || *created.State != "Pending" {
		t.Errorf("got %s", shape(t, created))
	}
	if v := h.publish(t); *v.Version != "1" {
		t.Errorf("publishing the same again gave version %s", *v.Version)
	}
}

func TestListings(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	for _, v := range []string{"two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"} {
		h.publish(t)
		h.updateCode(t, v)
	}
	h.publish(t)
	must(h.CreateFunction(as(t), func() *lambdaapi.CreateFunctionRequest {
		in := request()
		in.FunctionName = wire.Ptr("another")
		return in
	}()))(t)

	out := must(h.ListVersionsByFunction(as(t), &lambdaapi.ListVersionsByFunctionRequest{FunctionName: wire.Ptr("example"), MaxItems: wire.Ptr(int64(10000))}))(t)
	var got []string
	for _, v := range out.Versions {
		got = append(got, *v.FunctionArn)
		if v.State != nil || v.LastUpdateStatus != nil || v.RuntimeVersionConfig != nil {
			t.Errorf("a listing shows the state of %s", *v.FunctionArn)
		}
	}
	want := []string{fnARN + ":$LATEST"}
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"} {
		want = append(want, fnARN+":"+n)
	}
	if !slices.Equal(got, want) || out.NextMarker != nil {
		t.Errorf("versions %v, marker %v", got, out.NextMarker)
	}

	got = nil
	page := &lambdaapi.ListVersionsByFunctionRequest{FunctionName: wire.Ptr("example"), MaxItems: wire.Ptr(int64(5))}
	for range 3 {
		out = must(h.ListVersionsByFunction(as(t), page))(t)
		for _, v := range out.Versions {
			got = append(got, *v.FunctionArn)
		}
		page.Marker = out.NextMarker
	}
	if !slices.Equal(got, want) || page.Marker != nil {
		t.Errorf("pages gave %v, marker %v", got, page.Marker)
	}

	list := must(h.ListFunctions(as(t), &lambdaapi.ListFunctionsRequest{}))(t)
	if len(list.Functions) != 2 || *list.Functions[0].FunctionName != "another" || *list.Functions[1].FunctionArn != fnARN {
		t.Errorf("functions %s", shape(t, list))
	}
	list = must(h.ListFunctions(as(t), &lambdaapi.ListFunctionsRequest{FunctionVersion: wire.Ptr("ALL")}))(t)
	if len(list.Functions) != 13 || *list.Functions[0].FunctionArn != "arn:aws:lambda:eu-west-1:123456789012:function:another:$LATEST" || *list.Functions[12].Version != "11" {
		t.Errorf("all versions: %d entries", len(list.Functions))
	}
	if list := must(h.ListFunctions(asCaller(t, "999999999999", ":root"), &lambdaapi.ListFunctionsRequest{}))(t); len(list.Functions) != 0 {
		t.Error("another account sees the functions")
	}
	_, err := h.ListFunctions(as(t), &lambdaapi.ListFunctionsRequest{Marker: wire.Ptr("?")})
	wantError(t, err, "InvalidParameterValueException: Invalid Marker: ?")
}

func TestDeletion(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	h.publish(t)
	must(h.CreateAlias(as(t), &lambdaapi.CreateAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("live"), FunctionVersion: wire.Ptr("1")}))(t)
	remove := func(name, qualifier string) error {
		in := &lambdaapi.DeleteFunctionRequest{FunctionName: &name}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		_, err := h.DeleteFunction(as(t), in)
		return err
	}
	wantError(t, remove("example", "1"), "ResourceConflictException: Unable to delete version because the following aliases reference it: [live]")
	wantError(t, remove("example", "live"), "InvalidParameterValueException: Deletion of aliases is not currently supported.")
	wantError(t, remove("example:$LATEST", ""), "InvalidParameterValueException: $LATEST version cannot be deleted without deleting the function.")
	if err := remove("example", "77"); err != nil {
		t.Errorf("deleting a version that isn't there: %v", err)
	}
	if err := h.DeleteAlias(as(t), &lambdaapi.DeleteAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("live")}); err != nil {
		t.Fatal(err)
	}
	if err := remove("example", "1"); err != nil {
		t.Fatal(err)
	}
	if v := h.publish(t); *v.Version != "2" {
		t.Errorf("a deleted number was given again: %s", *v.Version)
	}
	if err := remove("example", ""); err != nil {
		t.Fatal(err)
	}
	wantError(t, remove("example", ""), "ResourceNotFoundException: Function not found: "+fnARN)
	if h.catalog.Resolve(fnARN) != nil {
		t.Error("the deleted function can still be called")
	}
	h.create(t)
	if out := must(h.ListVersionsByFunction(as(t), &lambdaapi.ListVersionsByFunctionRequest{FunctionName: wire.Ptr("example")}))(t); len(out.Versions) != 1 {
		t.Errorf("a new function of the same name has %d versions", len(out.Versions))
	}
}

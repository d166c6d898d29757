package ecr_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/wire"
)

const other = "999999999999"

func (h *house) putRegistryPolicy(owner, text string) {
	h.t.Helper()
	_, err := h.PutRegistryPolicy(as(h.t, owner), &ecrapi.PutRegistryPolicyRequest{PolicyText: &text})
	must(h.t, err)
}

func grantTo(principal, action, resource string) string {
	return fmt.Sprintf(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::%s:root"}, "Action": %q, "Resource": %q}}`, principal, action, resource)
}

// TestRegistryPolicy lets another account pull from every repository.
func TestRegistryPolicy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(nil)
	h.push("v1")
	_, err := h.GetRegistryPolicy(as(t, account), &ecrapi.GetRegistryPolicyRequest{})
	wantError(t, err, "Registry policy does not exist in the registry with id '123456789012'")
	_, err = h.PutRegistryPolicy(as(t, account), &ecrapi.PutRegistryPolicyRequest{PolicyText: wire.Ptr(`{"Version": "2012-10-17"}`)})
	wantError(t, err, "Invalid registry policy provided")
	auth := h.login(other)
	_, err = remote.Get(h.ref("team/app:v1"), auth)
	wantError(t, err, "no resource-based policy allows it")
	text := grantTo(other, "ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:"+account+":repository/team/*")
	h.putRegistryPolicy(account, text)
	_, err = remote.Get(h.ref("team/app:v1"), auth)
	must(t, err)
	target, open, err := h.PullTarget(as(t, other), account, region, "team/app")
	must(t, err)
	if !open || !strings.Contains(target.Policy, "repository/team/*") {
		t.Errorf("Lambda is told %v, %v", open, target)
	}
	// Beside a repository's own.
	_, err = h.SetRepositoryPolicy(as(t, account), &ecrapi.SetRepositoryPolicyRequest{RepositoryName: wire.Ptr("team/app"), PolicyText: wire.Ptr(
		`{"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:ListImages"}]}`)})
	must(t, err)
	target, _, err = h.PullTarget(as(t, other), account, region, "team/app")
	must(t, err)
	if !strings.Contains(target.Policy, "repository/team/*") || !strings.Contains(target.Policy, "ecr:ListImages") || !strings.Contains(target.Policy, "2012-10-17") {
		t.Errorf("both policies: %s", target.Policy)
	}
	got, err := h.DeleteRegistryPolicy(as(t, account), &ecrapi.DeleteRegistryPolicyRequest{})
	if err != nil || *got.PolicyText != text {
		t.Errorf("deleted %+v, %v", got, err)
	}
}

// TestReplication copies what is pushed to another region, and to another
// account if that lets it.
func TestReplication(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(nil)
	auth := h.login(account)
	index, err := random.Index(100, 1, 2)
	must(t, err)
	manifest, err := index.IndexManifest()
	must(t, err)
	child, err := index.Image(manifest.Manifests[0].Digest)
	must(t, err)
	must(t, remote.Write(h.ref("team/app:before"), child, auth))
	destination := func(id, region string) ecrapi.ReplicationDestination {
		return ecrapi.ReplicationDestination{RegistryId: &id, Region: &region}
	}
	put := func(to ...ecrapi.ReplicationDestination) error {
		_, err := h.PutReplicationConfiguration(as(t, account), &ecrapi.PutReplicationConfigurationRequest{ReplicationConfiguration: &ecrapi.ReplicationConfiguration{
			Rules: []ecrapi.ReplicationRule{{Destinations: to, RepositoryFilters: []ecrapi.RepositoryFilter{{Filter: wire.Ptr("team/"), FilterType: wire.Ptr("PREFIX_MATCH")}}}},
		}})
		return err
	}
	wantError(t, put(destination(account, region)), "cannot replicate to itself")
	must(t, put(destination(account, "us-east-1"), destination(other, region)))
	statuses := func(tag string) string {
		t.Helper()
		out, err := h.DescribeImageReplicationStatus(as(t, account), &ecrapi.DescribeImageReplicationStatusRequest{
			RepositoryName: wire.Ptr("team/app"), ImageId: &ecrapi.ImageIdentifier{ImageTag: &tag},
		})
		must(t, err)
		var all []string
		for _, s := range out.ReplicationStatuses {
			all = append(all, *s.RegistryId+" "+*s.Region+" "+*s.Status+wire.Val(s.FailureCode))
		}
		return strings.Join(all, ", ")
	}
	must(t, remote.WriteIndex(h.ref("team/app:both"), index, auth))
	if got, want := statuses("both"), account+" us-east-1 COMPLETE, "+other+" eu-west-1 FAILEDAccessDenied"; got != want {
		t.Errorf("statuses %s, want %s", got, want)
	}
	if got := statuses("before"); got != "" {
		t.Errorf("what was pushed before: %s", got)
	}
	h.putRegistryPolicy(other, grantTo(account, "ecr:ReplicateImage", "arn:aws:ecr:eu-west-1:"+other+":repository/*"))
	h.push("v1")
	if got := statuses("v1"); !strings.HasSuffix(got, other+" eu-west-1 COMPLETE") {
		t.Errorf("statuses %s", got)
	}
	h.restart() // copies keep their layers
	for repository, login := range map[string]remote.Option{account + "/us-east-1/team/app:both": auth, account + "/us-east-1/team/app:v1": auth, other + "/eu-west-1/team/app:v1": h.login(other)} {
		ref := h.at(repository)
		if strings.HasSuffix(repository, ":both") {
			got, err := remote.Index(ref, login)
			must(t, err)
			must(t, validate.Index(got))
			continue
		}
		got, err := remote.Image(ref, login)
		must(t, err)
		must(t, validate.Image(got))
	}
	described, err := h.DescribeRegistry(as(t, account), &ecrapi.DescribeRegistryRequest{})
	if err != nil || len(described.ReplicationConfiguration.Rules) != 1 {
		t.Errorf("the registry %+v, %v", described, err)
	}
}

// TestRegistryScanning says for each image that is to be scanned that it can't
// be.
func TestRegistryScanning(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(nil)
	h.push("v1")
	if got := h.images()[0].ImageScanStatus; got != nil {
		t.Errorf("the scan of an image is %+v", got)
	}
	put := func(kind, frequency, filter string) error {
		_, err := h.PutRegistryScanningConfiguration(as(t, account), &ecrapi.PutRegistryScanningConfigurationRequest{ScanType: &kind, Rules: []ecrapi.RegistryScanningRule{
			{ScanFrequency: &frequency, RepositoryFilters: []ecrapi.ScanningRepositoryFilter{{Filter: &filter, FilterType: wire.Ptr("WILDCARD")}}},
		}})
		return err
	}
	wantError(t, put("ENHANCED", "SCAN_ON_PUSH", "*"), "enhanced scanning")
	wantError(t, put("BASIC", "CONTINUOUS_SCAN", "*"), "CONTINUOUS_SCAN is not supported")
	for filter, frequency := range map[string]string{"te*p": "SCAN_ON_PUSH", "am/a": "SCAN_ON_PUSH", "app*": "MANUAL", "t*x": "MANUAL"} {
		must(t, put("BASIC", "SCAN_ON_PUSH", filter))
		got, err := h.BatchGetRepositoryScanningConfiguration(as(t, account), &ecrapi.BatchGetRepositoryScanningConfigurationRequest{RepositoryNames: []string{"team/app", "none"}})
		must(t, err)
		if c := got.ScanningConfigurations[0]; *c.ScanFrequency != frequency || len(got.Failures) != 1 {
			t.Errorf("%s: %s, %d failures", filter, *c.ScanFrequency, len(got.Failures))
		}
		if status := h.images()[0].ImageScanStatus; (status != nil) != (frequency == "SCAN_ON_PUSH") {
			t.Errorf("%s: the scan of an image is %+v", filter, status)
		}
	}
}

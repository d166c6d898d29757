package secretsmanager

import (
	"context"
	"reflect"
	"strconv"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// The operations that Service offers; a method with another signature would
// count as not built.
var _ interface {
	secretsmanagerapi.BatchGetSecretValueAPI
	secretsmanagerapi.CancelRotateSecretAPI
	secretsmanagerapi.CreateSecretAPI
	secretsmanagerapi.DeleteResourcePolicyAPI
	secretsmanagerapi.DeleteSecretAPI
	secretsmanagerapi.DescribeSecretAPI
	secretsmanagerapi.GetRandomPasswordAPI
	secretsmanagerapi.GetResourcePolicyAPI
	secretsmanagerapi.GetSecretValueAPI
	secretsmanagerapi.ListSecretVersionIdsAPI
	secretsmanagerapi.ListSecretsAPI
	secretsmanagerapi.PutResourcePolicyAPI
	secretsmanagerapi.PutSecretValueAPI
	secretsmanagerapi.RestoreSecretAPI
	secretsmanagerapi.RotateSecretAPI
	secretsmanagerapi.TagResourceAPI
	secretsmanagerapi.UntagResourceAPI
	secretsmanagerapi.UpdateSecretAPI
	secretsmanagerapi.UpdateSecretVersionStageAPI
	secretsmanagerapi.ValidateResourcePolicyAPI
} = (*Service)(nil)

var (
	_ wire.Refuser   = (*Service)(nil)
	_ wire.IAMNamer  = (*Service)(nil)
	_ wire.Explainer = (*Service)(nil)
)

const (
	noReplicas = "secrets are not replicated to other regions"
	noPartners = "secrets of other companies' services are not managed"
)

// WhyNot says why operations aren't built: those left are about replication.
func (*Service) WhyNot(*wire.Operation) string { return noReplicas }

// Refused lists the parameters that butai can't honour.
func (*Service) Refused() []wire.Refusal {
	return []wire.Refusal{
		{Operation: "CreateSecret", Member: "AddReplicaRegions", Reason: noReplicas},
		{Operation: "CreateSecret", Member: "ForceOverwriteReplicaSecret", Reason: noReplicas},
		{Member: "Type", Reason: noPartners},
		{Operation: "PutSecretValue", Member: "RotationToken", Reason: "functions that rotate secrets by an assumed role don't get one"},
		{Operation: "RotateSecret", Member: "ExternalSecretRotationMetadata", Reason: noPartners},
		{Operation: "RotateSecret", Member: "ExternalSecretRotationRoleArn", Reason: noPartners},
	}
}

// IAMTargets names the secret that a call is about, with its policy and its
// condition keys (Service Authorization Reference: AWS Secrets Manager).
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	if create, ok := in.(*secretsmanagerapi.CreateSecretRequest); ok {
		return []wire.IAMTarget{creation(ctx, create)}
	}
	id := text(in, "SecretId")
	if id == nil {
		return []wire.IAMTarget{{Action: "secretsmanager:" + op.Name, Resource: "*"}}
	}
	target := s.target(ctx, op.Name, id)
	addKeys(target.Context, in)
	targets := []wire.IAMTarget{target}
	if rotate, ok := in.(*secretsmanagerapi.RotateSecretRequest); ok && wire.Val(rotate.RotationLambdaARN) != "" {
		targets = append(targets, wire.IAMTarget{Action: "lambda:InvokeFunction", Resource: *rotate.RotationLambdaARN})
	}
	return targets
}

// target is an action on the secret of an id. One that there isn't is named as
// the request does.
func (s *Service) target(ctx context.Context, operation string, id *string) wire.IAMTarget {
	target := wire.IAMTarget{Action: "secretsmanager:" + operation, Resource: *id, Context: map[string][]string{}}
	ref, err := parse(ctx, *id)
	if err != nil {
		return target // the call itself will say what is wrong
	}
	_ = s.Store.View(ctx, func(r store.ReadTx) error { // a failure shows again in the call itself
		rec, err := s.find(r, ref)
		if err != nil || rec == nil {
			return err
		}
		target.Resource, target.Policy = rec.arn(), rec.Policy
		target.Context["secretsmanager:SecretId"] = []string{rec.arn()}
		target.Context["secretsmanager:SecretPrimaryRegion"] = []string{rec.Region}
		for _, t := range rec.Tags {
			target.Context["aws:ResourceTag/"+*t.Key] = []string{*t.Value}
			target.Context["secretsmanager:ResourceTag/"+*t.Key] = []string{*t.Value}
		}
		if rec.Rotation != nil {
			target.Context["secretsmanager:resource/AllowRotationLambdaArn"] = []string{rec.Rotation.Function}
		}
		return nil
	})
	return target
}

// creation is about a secret whose ARN isn't known yet: "?" stands for each of
// the six characters, which fits the patterns that policies have for them.
func creation(ctx context.Context, in *secretsmanagerapi.CreateSecretRequest) wire.IAMTarget {
	c := wire.CallerFrom(ctx)
	target := wire.IAMTarget{
		Action:   "secretsmanager:CreateSecret",
		Resource: arn.New("secretsmanager", c.Region, c.Account, secretPrefix+*in.Name+"-??????").String(),
		Context:  map[string][]string{"secretsmanager:Name": {*in.Name}},
	}
	addKeys(target.Context, in)
	return target
}

// conditionKeys are the members of inputs that are condition keys too.
var conditionKeys = map[string]string{
	"Description": "Description", "KmsKeyId": "KmsKeyId", "VersionId": "VersionId", "VersionStage": "VersionStage",
	"RecoveryWindowInDays": "RecoveryWindowInDays", "ForceDeleteWithoutRecovery": "ForceDeleteWithoutRecovery",
	"RotationLambdaARN": "RotationLambdaARN", "BlockPublicPolicy": "BlockPublicPolicy", "RotateImmediately": "RotateImmediately",
}

// addKeys adds what an input says.
func addKeys(to map[string][]string, in any) {
	rv := reflect.ValueOf(in).Elem()
	for member, key := range conditionKeys {
		field := rv.FieldByName(member)
		if !field.IsValid() || field.IsNil() {
			continue
		}
		switch v := field.Interface().(type) {
		case *string:
			to["secretsmanager:"+key] = []string{*v}
		case *bool:
			to["secretsmanager:"+key] = []string{strconv.FormatBool(*v)}
		case *int64:
			to["secretsmanager:"+key] = []string{strconv.FormatInt(*v, 10)}
		}
	}
	if tags, ok := field(rv, "Tags").([]secretsmanagerapi.Tag); ok {
		for _, t := range tags {
			to["aws:RequestTag/"+wire.Val(t.Key)] = []string{wire.Val(t.Value)}
			to["aws:TagKeys"] = append(to["aws:TagKeys"], wire.Val(t.Key))
		}
	}
	if keys, ok := field(rv, "TagKeys").([]string); ok {
		to["aws:TagKeys"] = keys
	}
}

// field is the value of a member, nil if there is no such member.
func field(rv reflect.Value, name string) any {
	if f := rv.FieldByName(name); f.IsValid() {
		return f.Interface()
	}
	return nil
}

// text reads a string member of an input, nil if it has none or it is unset.
func text(in any, name string) *string {
	t, _ := field(reflect.ValueOf(in).Elem(), name).(*string)
	return t
}

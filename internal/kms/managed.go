package kms

import (
	"context"

	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
)

// managedPrefix begins the aliases of the keys that AWS manages.
const managedPrefix = "alias/aws/"

// managedServices are the services that AWS manages a key for, as far as butai
// has them or Terraform asks for their keys, and what the keys protect, as
// their descriptions say.
var managedServices = map[string]string{
	"acm": "ACM private keys", "dynamodb": "DynamoDB data", "ebs": "EBS volumes", "ecr": "ECR data", "kinesis": "Kinesis data",
	"lambda": "Lambda functions", "rds": "RDS database volumes", "s3": "S3 objects", "secretsmanager": "Secrets Manager data",
	"sns": "SNS data", "sqs": "SQS messages", "ssm": "SSM parameters", "xray": "X-Ray data",
}

// makeManaged makes the key that AWS manages for a service, unless somebody
// else just has.
func (s *Service) makeManaged(ctx context.Context, ref reference, service string) (*key, error) {
	m, err := newMaterial(symmetric)
	if err != nil {
		return nil, err
	}
	now := s.now()
	fresh := &key{
		Account: ref.account, Region: ref.region, ID: ident.UUID(), Created: now, Description: "Default key that protects my " + managedServices[service] + " when no other key is defined",
		Usage: encrypts, Spec: symmetric, Service: service, Policy: managedPolicy(ref.account, ref.region, service), Material: []material{m},
		Rotation: rotation{Period: managedPeriod, Next: now.Add(managedPeriod * day)},
	}
	k := fresh
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		k = fresh
		made, err := aliases.Get(tx, ref.account, ref.region, ref.alias)
		if err != nil {
			return err
		}
		if made != nil {
			k, err = s.lookup(tx, reference{account: ref.account, region: ref.region, id: made.Target})
			return err
		}
		a := &alias{Name: ref.alias, Target: k.ID, Created: now, Updated: now}
		if err := aliases.Put(tx, a, ref.account, ref.region, a.Name); err != nil {
			return err
		}
		return put(tx, k)
	})
	return k, err
}

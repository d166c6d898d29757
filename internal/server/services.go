package server

import (
	"github.com/butai-dev/butai/internal/acm"
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
	"github.com/butai-dev/butai/internal/apigateway"
	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/cloudwatch"
	"github.com/butai-dev/butai/internal/dynamodb"
	"github.com/butai-dev/butai/internal/ecr"
	"github.com/butai-dev/butai/internal/events"
	"github.com/butai-dev/butai/internal/iam"
	"github.com/butai-dev/butai/internal/kms"
	"github.com/butai-dev/butai/internal/lambda"
	"github.com/butai-dev/butai/internal/logs"
	"github.com/butai-dev/butai/internal/route53"
	"github.com/butai-dev/butai/internal/s3"
	"github.com/butai-dev/butai/internal/secretsmanager"
	"github.com/butai-dev/butai/internal/sns"
	"github.com/butai-dev/butai/internal/sqs"
	"github.com/butai-dev/butai/internal/ssm"
	"github.com/butai-dev/butai/internal/sts"
)

// services are the control planes. Their zero value is enough to tell which
// operations are built.
type services struct {
	acm            *acm.Service
	apigateway     *apigateway.Service
	apigatewayv2   *apigateway.V2
	cloudwatch     *cloudwatch.Service
	dynamodb       *dynamodb.Service
	streams        *dynamodb.Streams
	ecr            *ecr.Service
	events         *events.Service
	iam            *iam.Service
	kms            *kms.Service
	lambda         *lambda.Service
	logs           *logs.Service
	route53        *route53.Service
	s3             *s3.Service
	secretsmanager *secretsmanager.Service
	sns            *sns.Service
	sqs            *sqs.Service
	ssm            *ssm.Service
	sts            *sts.Service
}

// registrations pairs each service with its model, in alphabetical order.
func (s *services) registrations() []awsapi.Registration {
	return []awsapi.Registration{
		{Model: &acmapi.Service, Service: s.acm},
		{Model: &apigatewayapi.Service, Service: s.apigateway},
		{Model: &apigatewayv2api.Service, Service: s.apigatewayv2},
		{Model: &cloudwatchapi.Service, Service: s.cloudwatch},
		{Model: &dynamodbapi.Service, Service: s.dynamodb},
		{Model: &dynamodbstreamsapi.Service, Service: s.streams},
		{Model: &ecrapi.Service, Service: s.ecr},
		{Model: &eventsapi.Service, Service: s.events},
		{Model: &iamapi.Service, Service: s.iam},
		{Model: &kmsapi.Service, Service: s.kms},
		{Model: &lambdaapi.Service, Service: s.lambda},
		{Model: &logsapi.Service, Service: s.logs},
		{Model: &route53api.Service, Service: s.route53},
		{Model: &s3api.Service, Service: s.s3},
		{Model: &secretsmanagerapi.Service, Service: s.secretsmanager},
		{Model: &snsapi.Service, Service: s.sns},
		{Model: &sqsapi.Service, Service: s.sqs},
		{Model: &ssmapi.Service, Service: s.ssm},
		{Model: &stsapi.Service, Service: s.sts},
	}
}

"""Prints what is left in the account, one line for each kind of thing."""

import boto3
import jmespath

for service, operation, arguments, members in [
    ("apigateway", "get_rest_apis", {}, "items"),
    ("apigateway", "get_domain_names", {}, "items"),
    ("apigateway", "get_domain_name_access_associations", {}, "items"),
    ("apigateway", "get_vpc_links", {}, "items"),
    ("apigatewayv2", "get_vpc_links", {}, "Items"),
    ("apigateway", "get_client_certificates", {}, "items"),
    ("apigateway", "get_api_keys", {}, "items"),
    ("apigateway", "get_usage_plans", {}, "items"),
    ("cloudwatch", "describe_alarms", {}, "MetricAlarms"),
    ("cloudwatch", "list_dashboards", {}, "DashboardEntries"),
    ("lambda", "list_functions", {}, "Functions"),
    ("ecr", "describe_repositories", {}, "repositories"),
    ("iam", "list_roles", {}, "Roles"),
    ("iam", "list_users", {}, "Users"),
    ("iam", "list_policies", {"Scope": "Local"}, "Policies"),
    ("dynamodb", "list_tables", {}, "TableNames"),
    ("secretsmanager", "list_secrets", {"IncludePlannedDeletion": True}, "SecretList"),
    ("ssm", "describe_parameters", {}, "Parameters"),
    ("sqs", "list_queues", {}, "QueueUrls || `[]`"),
    ("sns", "list_topics", {}, "Topics"),
    ("sns", "list_subscriptions", {}, "Subscriptions"),
    ("kms", "list_aliases", {}, "Aliases[?!starts_with(AliasName, 'alias/aws/')]"),
    ("lambda", "list_layers", {}, "Layers"),
    ("lambda", "list_event_source_mappings", {}, "EventSourceMappings"),
    ("lambda", "list_code_signing_configs", {}, "CodeSigningConfigs"),
    ("route53", "list_hosted_zones", {}, "HostedZones"),
    ("acm", "list_certificates", {}, "CertificateSummaryList"),
    ("s3", "list_buckets", {}, "Buckets"),
    ("events", "list_event_buses", {}, "EventBuses[?Name!='default']"),
    ("events", "list_rules", {}, "Rules"),
    ("logs", "describe_resource_policies", {}, "resourcePolicies"),
    ("logs", "describe_log_groups", {"logGroupNamePrefix": "everything"}, "logGroups"),
]:
    answer = getattr(boto3.client(service), operation)(**arguments)
    found = jmespath.search(members, answer)
    if found != []:
        print(service, operation, found)

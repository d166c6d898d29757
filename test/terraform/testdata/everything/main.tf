# Every resource type that butai promises, each with its usual arguments.
# var.edition changes what can be changed in place.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {}

variable "edition" { default = "one" }
variable "code" {}      # path of the handler's zip
variable "code_next" {} # path of another one

data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
data "aws_iam_policy" "execute" { arn = "arn:aws:iam::aws:policy/AWSLambdaExecute" }

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com", "apigateway.amazonaws.com"]
    }
  }
}

locals {
  second = var.edition == "two"
  code   = local.second ? var.code_next : var.code
}

# {{{ IAM

resource "aws_iam_role" "exec" {
  name               = "exec"
  description        = "edition ${var.edition}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = { edition = var.edition }
}

resource "aws_iam_role_policy" "inline" {
  name = "inline"
  role = aws_iam_role.exec.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = var.edition
      Effect   = "Allow"
      Action   = ["dynamodb:GetItem", "dynamodb:PutItem"]
      Resource = [aws_dynamodb_table.plain.arn]
    }]
  })
}

resource "aws_iam_policy" "managed" {
  name        = "managed"
  description = "A customer managed policy."
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = var.edition, Effect = "Allow", Action = "dynamodb:Scan", Resource = "*" }]
  })
  tags = { edition = var.edition }
}

resource "aws_iam_role_policy_attachment" "managed" {
  role       = aws_iam_role.exec.name
  policy_arn = aws_iam_policy.managed.arn
}

resource "aws_iam_policy_attachment" "execute" {
  name       = "execute"
  policy_arn = data.aws_iam_policy.execute.arn
  roles      = [aws_iam_role.exec.name]
}

resource "aws_iam_user" "person" {
  name = "person"
  path = "/team/"
  tags = { edition = var.edition }
}

resource "aws_iam_access_key" "person" {
  user   = aws_iam_user.person.name
  status = local.second ? "Inactive" : "Active"
}

resource "aws_iam_user_policy" "person" {
  name = "self"
  user = aws_iam_user.person.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = var.edition, Effect = "Allow", Action = "sts:GetCallerIdentity", Resource = "*" }]
  })
}

resource "aws_iam_role" "logs" {
  name               = "gateway-logs"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.logs.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

# }}}
# {{{ DynamoDB

resource "aws_dynamodb_table" "plain" {
  name           = "plain"
  read_capacity  = local.second ? 2 : 1
  write_capacity = 1
  hash_key       = "id"

  attribute {
    name = "id"
    type = "S"
  }

  tags = { edition = var.edition }
}

resource "aws_dynamodb_table" "indexed" {
  name         = "indexed"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  range_key    = "at"

  attribute {
    name = "id"
    type = "S"
  }
  attribute {
    name = "at"
    type = "N"
  }
  attribute {
    name = "owner"
    type = "S"
  }

  local_secondary_index {
    name            = "by-owner-here"
    range_key       = "owner"
    projection_type = "KEYS_ONLY"
  }

  global_secondary_index {
    name               = "by-owner"
    hash_key           = "owner"
    range_key          = "at"
    projection_type    = "INCLUDE"
    non_key_attributes = ["name"]
  }

  deletion_protection_enabled = false

  point_in_time_recovery {
    enabled                 = true
    recovery_period_in_days = local.second ? 7 : 35
  }
}

resource "aws_dynamodb_table" "restored" {
  name                   = "restored"
  billing_mode           = "PAY_PER_REQUEST"
  hash_key               = "id"
  range_key              = "at"
  restore_source_name    = aws_dynamodb_table.indexed.name
  restore_to_latest_time = true
  lifecycle {
    ignore_changes = [restore_source_name, restore_to_latest_time] # an import can't know them
  }

  attribute {
    name = "id"
    type = "S"
  }
  attribute {
    name = "at"
    type = "N"
  }
  attribute {
    name = "owner"
    type = "S"
  }

  local_secondary_index {
    name            = "by-owner-here"
    range_key       = "owner"
    projection_type = "KEYS_ONLY"
  }

  global_secondary_index {
    name               = "by-owner"
    hash_key           = "owner"
    range_key          = "at"
    projection_type    = "INCLUDE"
    non_key_attributes = ["name"]
  }
}

# }}}
# {{{ Lambda

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/everything"
  retention_in_days = local.second ? 14 : 7
  tags              = { edition = var.edition }
}

resource "aws_lambda_function" "everything" {
  function_name    = "everything"
  description      = "edition ${var.edition}"
  filename         = local.code
  source_code_hash = filebase64sha256(local.code)
  handler          = "main.handler"
  runtime          = "python3.11"
  role             = aws_iam_role.exec.arn
  memory_size      = local.second ? 256 : 128
  timeout          = 5
  publish          = true
  tags             = { edition = var.edition }

  environment {
    variables = { EDITION = var.edition }
  }

  depends_on = [aws_cloudwatch_log_group.function]
}

resource "aws_s3_bucket" "code" {
  bucket = "everything-code"
}

resource "aws_s3_object" "code" {
  bucket = aws_s3_bucket.code.id
  key    = "handler.zip"
  source = var.code
  etag   = filemd5(var.code)
}

resource "aws_lambda_function" "stored" {
  function_name = "stored"
  s3_bucket     = aws_s3_object.code.bucket
  s3_key        = aws_s3_object.code.key
  handler       = "main.handler"
  runtime       = "python3.11"
  role          = aws_iam_role.exec.arn
  timeout       = local.second ? 4 : 3
}

resource "aws_lambda_function" "snapped" {
  function_name    = "snapped"
  filename         = local.code
  source_code_hash = filebase64sha256(local.code)
  handler          = "main.handler"
  runtime          = "python3.12"
  role             = aws_iam_role.exec.arn
  publish          = true
  timeout          = local.second ? 4 : 3

  snap_start {
    apply_on = "PublishedVersions"
  }
}

output "snapped" {
  value = "${aws_lambda_function.snapped.version} ${data.aws_lambda_function.snapped.version}"
}

data "aws_lambda_function" "snapped" {
  function_name = aws_lambda_function.snapped.function_name
  qualifier     = aws_lambda_function.snapped.version
}

resource "aws_lambda_alias" "staging" {
  name             = "staging"
  description      = "edition ${var.edition}"
  function_name    = aws_lambda_function.everything.function_name
  function_version = "$LATEST"
}

resource "aws_lambda_alias" "production" {
  name             = "production"
  function_name    = aws_lambda_function.everything.function_name
  function_version = "1"

  dynamic "routing_config" {
    for_each = local.second ? [1] : []
    content {
      additional_version_weights = { "2" = 0.25 }
    }
  }

  depends_on = [aws_lambda_function.everything]
}

resource "aws_lambda_provisioned_concurrency_config" "first" {
  function_name                     = aws_lambda_function.everything.function_name
  qualifier                         = "1"
  provisioned_concurrent_executions = local.second ? 2 : 1
}

resource "aws_lambda_permission" "staging" {
  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = aws_lambda_function.everything.function_name
  qualifier     = aws_lambda_alias.staging.name
  source_arn    = "${aws_api_gateway_rest_api.everything.execution_arn}/*/*"
}

resource "aws_lambda_permission" "production" {
  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = aws_lambda_function.everything.function_name
  qualifier     = aws_lambda_alias.production.name
}

resource "aws_lambda_permission" "bare" {
  statement_id  = "bare"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = aws_lambda_function.everything.function_name
}

resource "aws_lambda_invocation" "once" {
  function_name = aws_lambda_function.everything.function_name
  input         = jsonencode({ edition = var.edition })
}

data "aws_lambda_function" "everything" {
  function_name = aws_lambda_function.everything.function_name
  depends_on    = [aws_lambda_alias.production]
}

# }}}
# {{{ API Gateway

resource "aws_api_gateway_account" "here" {
  cloudwatch_role_arn = aws_iam_role.logs.arn
  depends_on          = [aws_iam_role_policy_attachment.logs]
}

resource "aws_api_gateway_rest_api" "everything" {
  name               = "everything"
  description        = "edition ${var.edition}"
  binary_media_types = ["image/png"]
  tags               = { edition = var.edition }
}

data "aws_api_gateway_rest_api" "everything" {
  name       = aws_api_gateway_rest_api.everything.name
  depends_on = [aws_api_gateway_rest_api.everything]
}

resource "aws_api_gateway_resource" "user" {
  rest_api_id = aws_api_gateway_rest_api.everything.id
  parent_id   = aws_api_gateway_rest_api.everything.root_resource_id
  path_part   = local.second ? "person" : "user"
}

resource "aws_api_gateway_resource" "id" {
  rest_api_id = aws_api_gateway_rest_api.everything.id
  parent_id   = aws_api_gateway_resource.user.id
  path_part   = "{id}"
}

resource "aws_api_gateway_resource" "proxy" {
  rest_api_id = aws_api_gateway_rest_api.everything.id
  parent_id   = aws_api_gateway_rest_api.everything.root_resource_id
  path_part   = "{proxy+}"
}

resource "aws_api_gateway_method" "get" {
  rest_api_id        = aws_api_gateway_rest_api.everything.id
  resource_id        = aws_api_gateway_resource.id.id
  http_method        = "GET"
  authorization      = "NONE"
  request_parameters = { "method.request.querystring.verbose" = local.second }
}

resource "aws_api_gateway_method" "post" {
  rest_api_id   = aws_api_gateway_rest_api.everything.id
  resource_id   = aws_api_gateway_resource.id.id
  http_method   = "POST"
  authorization = "NONE"
}

resource "aws_api_gateway_method" "options" {
  rest_api_id   = aws_api_gateway_rest_api.everything.id
  resource_id   = aws_api_gateway_resource.id.id
  http_method   = "OPTIONS"
  authorization = "NONE"
}

resource "aws_api_gateway_method" "any" {
  rest_api_id   = aws_api_gateway_rest_api.everything.id
  resource_id   = aws_api_gateway_resource.proxy.id
  http_method   = "ANY"
  authorization = "NONE"
}

locals {
  alias_uri = join("", [
    "arn:aws:apigateway:${data.aws_region.here.name}:lambda:path/2015-03-31/functions/",
    "arn:aws:lambda:${data.aws_region.here.name}:${data.aws_caller_identity.me.account_id}:function:",
    "${aws_lambda_function.everything.function_name}:$${stageVariables.stage}/invocations",
  ])
}

resource "aws_api_gateway_integration" "get" {
  rest_api_id             = aws_api_gateway_rest_api.everything.id
  resource_id             = aws_api_gateway_resource.id.id
  http_method             = aws_api_gateway_method.get.http_method
  type                    = "AWS"
  integration_http_method = "POST"
  uri                     = local.alias_uri
  timeout_milliseconds    = local.second ? 10000 : 29000
  request_templates = {
    "application/json" = "{\"id\": \"$input.params('id')\", \"stage\": \"$stageVariables.stage\", \"edition\": \"${var.edition}\"}"
  }
}

resource "aws_api_gateway_integration" "post" {
  rest_api_id             = aws_api_gateway_rest_api.everything.id
  resource_id             = aws_api_gateway_resource.id.id
  http_method             = aws_api_gateway_method.post.http_method
  type                    = "AWS"
  integration_http_method = "POST"
  uri                     = local.alias_uri
  passthrough_behavior    = "NEVER"
  request_templates = {
    "application/json" = "{\"id\": \"$input.params('id')\", \"name\": \"$input.path('$.name')\", \"stage\": \"$stageVariables.stage\"}"
  }
}

resource "aws_api_gateway_integration" "options" {
  rest_api_id       = aws_api_gateway_rest_api.everything.id
  resource_id       = aws_api_gateway_resource.id.id
  http_method       = aws_api_gateway_method.options.http_method
  type              = "MOCK"
  request_templates = { "application/json" = "{\"statusCode\": 200}" }
}

resource "aws_api_gateway_integration" "any" {
  rest_api_id             = aws_api_gateway_rest_api.everything.id
  resource_id             = aws_api_gateway_resource.proxy.id
  http_method             = aws_api_gateway_method.any.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.everything.invoke_arn
}

resource "aws_api_gateway_method_response" "get_200" {
  rest_api_id = aws_api_gateway_rest_api.everything.id
  resource_id = aws_api_gateway_resource.id.id
  http_method = aws_api_gateway_method.get.http_method
  status_code = "200"
}

resource "aws_api_gateway_method_response" "get_400" {
  rest_api_id = aws_api_gateway_rest_api.everything.id
  resource_id = aws_api_gateway_resource.id.id
  http_method = aws_api_gateway_method.get.http_method
  status_code = "400"
}

resource "aws_api_gateway_method_response" "post_200" {
  rest_api_id = aws_api_gateway_rest_api.everything.id
  resource_id = aws_api_gateway_resource.id.id
  http_method = aws_api_gateway_method.post.http_method
  status_code = "200"
}

resource "aws_api_gateway_method_response" "post_500" {
  rest_api_id = aws_api_gateway_rest_api.everything.id
  resource_id = aws_api_gateway_resource.id.id
  http_method = aws_api_gateway_method.post.http_method
  status_code = "500"
}

resource "aws_api_gateway_method_response" "options_200" {
  rest_api_id         = aws_api_gateway_rest_api.everything.id
  resource_id         = aws_api_gateway_resource.id.id
  http_method         = aws_api_gateway_method.options.http_method
  status_code         = "200"
  response_parameters = { "method.response.header.Access-Control-Allow-Origin" = local.second }
  response_models     = { "application/json" = "Empty" }
}

resource "aws_api_gateway_integration_response" "get_200" {
  rest_api_id = aws_api_gateway_rest_api.everything.id
  resource_id = aws_api_gateway_resource.id.id
  http_method = aws_api_gateway_method.get.http_method
  status_code = aws_api_gateway_method_response.get_200.status_code
  depends_on  = [aws_api_gateway_integration.get]
}

resource "aws_api_gateway_integration_response" "get_400" {
  rest_api_id        = aws_api_gateway_rest_api.everything.id
  resource_id        = aws_api_gateway_resource.id.id
  http_method        = aws_api_gateway_method.get.http_method
  status_code        = aws_api_gateway_method_response.get_400.status_code
  selection_pattern  = local.second ? "4\\d\\d: .*" : "400: .*"
  response_templates = { "application/json" = "{\"error\": \"$input.path('$.errorMessage').substring(5)\"}" }
  depends_on         = [aws_api_gateway_integration.get]
}

resource "aws_api_gateway_integration_response" "post_200" {
  rest_api_id = aws_api_gateway_rest_api.everything.id
  resource_id = aws_api_gateway_resource.id.id
  http_method = aws_api_gateway_method.post.http_method
  status_code = aws_api_gateway_method_response.post_200.status_code
  depends_on  = [aws_api_gateway_integration.post]
}

resource "aws_api_gateway_integration_response" "post_500" {
  rest_api_id       = aws_api_gateway_rest_api.everything.id
  resource_id       = aws_api_gateway_resource.id.id
  http_method       = aws_api_gateway_method.post.http_method
  status_code       = aws_api_gateway_method_response.post_500.status_code
  selection_pattern = "500: (.|\n)*"
  depends_on        = [aws_api_gateway_integration.post]
}

resource "aws_api_gateway_integration_response" "options_200" {
  rest_api_id         = aws_api_gateway_rest_api.everything.id
  resource_id         = aws_api_gateway_resource.id.id
  http_method         = aws_api_gateway_method.options.http_method
  status_code         = aws_api_gateway_method_response.options_200.status_code
  response_parameters = { "method.response.header.Access-Control-Allow-Origin" = "'*'" }
  depends_on          = [aws_api_gateway_integration.options]
}

# The article's form: the deployment makes its stage.
resource "aws_api_gateway_deployment" "legacy" {
  rest_api_id       = aws_api_gateway_rest_api.everything.id
  stage_name        = "staging"
  stage_description = "staging"
  variables         = { stage = "staging" }
  depends_on        = [aws_api_gateway_integration.get, aws_api_gateway_integration.post, aws_api_gateway_integration.options, aws_api_gateway_integration.any]
}

# Today's form.
resource "aws_api_gateway_deployment" "production" {
  rest_api_id = aws_api_gateway_rest_api.everything.id
  description = "edition ${var.edition}"
  depends_on  = [aws_api_gateway_integration.get, aws_api_gateway_integration.post, aws_api_gateway_integration.options, aws_api_gateway_integration.any]
}

resource "aws_cloudwatch_log_group" "access" {
  name = "everything-access"
}

resource "aws_api_gateway_stage" "production" {
  rest_api_id   = aws_api_gateway_rest_api.everything.id
  deployment_id = aws_api_gateway_deployment.production.id
  stage_name    = "production"
  description   = "edition ${var.edition}"
  variables     = { stage = "production", edition = var.edition }
  tags          = { edition = var.edition }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = "$context.requestId $context.status"
  }

  depends_on = [aws_api_gateway_account.here]
}

resource "aws_api_gateway_method_settings" "production" {
  rest_api_id = aws_api_gateway_rest_api.everything.id
  stage_name  = aws_api_gateway_stage.production.stage_name
  method_path = "*/*"

  settings {
    logging_level      = local.second ? "ERROR" : "INFO"
    data_trace_enabled = true
    metrics_enabled    = false
  }
}

# }}}
# {{{ Names and certificates

resource "aws_route53_zone" "sample" {
  name    = "sample.example"
  comment = "edition ${var.edition}"
  tags    = { edition = var.edition }
}

resource "aws_route53_record" "root" {
  zone_id = aws_route53_zone.sample.zone_id
  name    = "sample.example"
  type    = "A"
  ttl     = local.second ? 60 : 300
  records = ["192.0.2.1"]
}

resource "aws_acm_certificate" "wildcard" {
  domain_name       = "*.sample.example"
  validation_method = "DNS"
  tags              = { edition = var.edition }
}

locals {
  validation = tolist(aws_acm_certificate.wildcard.domain_validation_options)[0]
}

resource "aws_route53_record" "validation" {
  zone_id = aws_route53_zone.sample.zone_id
  name    = local.validation.resource_record_name
  type    = local.validation.resource_record_type
  ttl     = 60
  records = [local.validation.resource_record_value]
}

resource "aws_acm_certificate_validation" "wildcard" {
  certificate_arn         = aws_acm_certificate.wildcard.arn
  validation_record_fqdns = [aws_route53_record.validation.fqdn]
}

resource "aws_api_gateway_domain_name" "api" {
  domain_name              = "api1.sample.example"
  regional_certificate_arn = aws_acm_certificate_validation.wildcard.certificate_arn
  security_policy          = "TLS_1_2"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_base_path_mapping" "root" {
  domain_name = aws_api_gateway_domain_name.api.domain_name
  api_id      = aws_api_gateway_rest_api.everything.id
  stage_name  = aws_api_gateway_stage.production.stage_name
}

resource "aws_api_gateway_base_path_mapping" "v1" {
  domain_name = aws_api_gateway_domain_name.api.domain_name
  api_id      = aws_api_gateway_rest_api.everything.id
  stage_name  = aws_api_gateway_stage.production.stage_name
  base_path   = local.second ? "v2" : "v1"
}

resource "aws_route53_record" "api" {
  zone_id = aws_route53_zone.sample.zone_id
  name    = aws_api_gateway_domain_name.api.domain_name
  type    = "A"

  alias {
    name                   = aws_api_gateway_domain_name.api.regional_domain_name
    zone_id                = aws_api_gateway_domain_name.api.regional_zone_id
    evaluate_target_health = false
  }
}

# }}}

output "function_version" { value = data.aws_lambda_function.everything.version }
output "invocation" { value = aws_lambda_invocation.once.result }
output "api_found" { value = data.aws_api_gateway_rest_api.everything.id }
output "api" { value = aws_api_gateway_rest_api.everything.id }

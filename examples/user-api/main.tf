# One API, one function, two stages. The stage variable "stage" picks the
# Lambda alias and the table, so staging and production share nothing but the
# definition. Nothing here knows about butai: AWS_ENDPOINT_URL does the rest.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

provider "aws" {}

variable "code" {
  description = "The handler's zip: (cd handler && zip -r ../handler.zip .)"
  default     = "handler.zip"
}

variable "runtime" {
  description = "Lambda runtime of the handler."
  default     = "python3.11"
}

variable "production_version" {
  description = "Function version that production runs. Begins as $LATEST: nothing is published yet."
  default     = "$LATEST"
}

variable "production_release" {
  description = "Change it to deploy the API's current definition to production."
  default     = "1"
}

locals {
  stages = {
    staging    = { description = "staging", version = "$LATEST" }
    production = { description = "production", version = var.production_version }
  }
}

data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

# {{{ Tables, one a stage

resource "aws_dynamodb_table" "user" {
  for_each     = local.stages
  name         = "user-${each.key}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

# }}}
# {{{ The function

resource "aws_iam_role" "user" {
  name = "user-api"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "tables" {
  name = "tables"
  role = aws_iam_role.user.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action   = ["dynamodb:GetItem", "dynamodb:PutItem"]
      Effect   = "Allow"
      Resource = [for table in aws_dynamodb_table.user : table.arn]
    }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.user.name
  policy_arn = "arn:aws:iam::aws:policy/AWSLambdaExecute"
}

resource "aws_lambda_function" "user" {
  function_name    = "user"
  description      = "Reads and writes users."
  filename         = var.code
  source_code_hash = filebase64sha256(var.code)
  handler          = "main.handler"
  runtime          = var.runtime
  role             = aws_iam_role.user.arn
  memory_size      = 128
  timeout          = 10
}

resource "aws_lambda_alias" "stage" {
  for_each         = local.stages
  name             = each.key
  description      = each.value.description
  function_name    = aws_lambda_function.user.function_name
  function_version = each.value.version
}

# API Gateway may call an alias only with a permission on that alias.
resource "aws_lambda_permission" "gateway" {
  for_each      = local.stages
  statement_id  = "gateway-${each.key}"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = aws_lambda_function.user.function_name
  qualifier     = aws_lambda_alias.stage[each.key].name
  source_arn    = "${aws_api_gateway_rest_api.user.execution_arn}/${each.key}/*/user/*"
}

# }}}
# {{{ The API

resource "aws_api_gateway_rest_api" "user" {
  name        = "user"
  description = "Users, in staging and production."
}

resource "aws_api_gateway_resource" "user" {
  rest_api_id = aws_api_gateway_rest_api.user.id
  parent_id   = aws_api_gateway_rest_api.user.root_resource_id
  path_part   = "user"
}

resource "aws_api_gateway_resource" "id" {
  rest_api_id = aws_api_gateway_rest_api.user.id
  parent_id   = aws_api_gateway_resource.user.id
  path_part   = "{id}"
}

locals {
  # What each method hands to the function, as a mapping template.
  requests = {
    GET  = <<-EOT
      {"method": "GET", "stage": "$stageVariables.stage", "id": "$input.params('id')"}
    EOT
    POST = <<-EOT
      {"method": "POST", "stage": "$stageVariables.stage", "id": "$input.params('id')", "name": "$util.escapeJavaScript($input.path('$.name'))"}
    EOT
  }
  # The handler raises "400: text" and "500: text"; the pattern picks the
  # status and the template drops the number.
  failures = { "400" = "400: .*", "500" = "500: (.|\\n)*" }
}

resource "aws_api_gateway_method" "id" {
  for_each      = local.requests
  rest_api_id   = aws_api_gateway_rest_api.user.id
  resource_id   = aws_api_gateway_resource.id.id
  http_method   = each.key
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "id" {
  for_each                = local.requests
  rest_api_id             = aws_api_gateway_rest_api.user.id
  resource_id             = aws_api_gateway_resource.id.id
  http_method             = aws_api_gateway_method.id[each.key].http_method
  type                    = "AWS"
  integration_http_method = "POST"
  request_templates       = { "application/json" = each.value }
  uri = join("", [
    "arn:aws:apigateway:${data.aws_region.current.name}:lambda:path/2015-03-31/functions/",
    "${aws_lambda_function.user.arn}:$${stageVariables.stage}/invocations",
  ])
}

resource "aws_api_gateway_method_response" "ok" {
  for_each    = local.requests
  rest_api_id = aws_api_gateway_rest_api.user.id
  resource_id = aws_api_gateway_resource.id.id
  http_method = aws_api_gateway_method.id[each.key].http_method
  status_code = "200"
}

resource "aws_api_gateway_integration_response" "ok" {
  for_each    = local.requests
  rest_api_id = aws_api_gateway_rest_api.user.id
  resource_id = aws_api_gateway_resource.id.id
  http_method = aws_api_gateway_method.id[each.key].http_method
  status_code = aws_api_gateway_method_response.ok[each.key].status_code
  depends_on  = [aws_api_gateway_integration.id]
}

locals {
  failing = { for pair in setproduct(keys(local.requests), keys(local.failures)) :
  "${pair[0]} ${pair[1]}" => { method = pair[0], status = pair[1] } }
}

resource "aws_api_gateway_method_response" "failure" {
  for_each    = local.failing
  rest_api_id = aws_api_gateway_rest_api.user.id
  resource_id = aws_api_gateway_resource.id.id
  http_method = aws_api_gateway_method.id[each.value.method].http_method
  status_code = each.value.status
}

resource "aws_api_gateway_integration_response" "failure" {
  for_each          = local.failing
  rest_api_id       = aws_api_gateway_rest_api.user.id
  resource_id       = aws_api_gateway_resource.id.id
  http_method       = aws_api_gateway_method.id[each.value.method].http_method
  status_code       = aws_api_gateway_method_response.failure[each.key].status_code
  selection_pattern = local.failures[each.value.status]
  response_templates = { "application/json" = <<-EOT
    {"error": "$input.path('$.errorMessage').substring(5)"}
  EOT
  }
  depends_on = [aws_api_gateway_integration.id]
}

# }}}
# {{{ The two stages

# What a deployment freezes. Whole resources would not do: the provider stores
# an empty map at its next refresh where it stored null before.
locals {
  definition = sha1(jsonencode([
    aws_api_gateway_resource.id.path,
    [for i in aws_api_gateway_integration.id : [i.id, i.uri, i.request_templates]],
    [for r in aws_api_gateway_integration_response.ok : r.id],
    [for r in aws_api_gateway_integration_response.failure : [r.id, r.selection_pattern, r.response_templates]],
  ]))
}

# Staging follows the definition; production moves when it is told to.
resource "aws_api_gateway_deployment" "stage" {
  for_each    = { staging = local.definition, production = var.production_release }
  rest_api_id = aws_api_gateway_rest_api.user.id
  description = each.key
  triggers    = { release = each.value }
  depends_on  = [aws_api_gateway_integration_response.ok, aws_api_gateway_integration_response.failure]

  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_stage" "stage" {
  for_each      = local.stages
  rest_api_id   = aws_api_gateway_rest_api.user.id
  deployment_id = aws_api_gateway_deployment.stage[each.key].id
  stage_name    = each.key
  description   = each.value.description
  variables     = { stage = each.key }
}

# }}}

output "api" {
  value = aws_api_gateway_rest_api.user.id
}

output "account" {
  value = data.aws_caller_identity.current.account_id
}

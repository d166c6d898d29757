# An API with an integration of each type that reaches beyond Lambda, and what
# such integrations need.

variable "backend" { default = "127.0.0.1:9" } # host and port of a local HTTP server

resource "aws_api_gateway_rest_api" "integrations" {
  name               = "integrations"
  binary_media_types = ["image/png"]
}

resource "aws_api_gateway_vpc_link" "private" {
  name        = "everything"
  description = "edition ${var.edition}"
  target_arns = ["arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/everything/0123456789abcdef"]
  tags        = { edition = var.edition }
}

resource "aws_api_gateway_client_certificate" "gateway" {
  description = "edition ${var.edition}"
  tags        = { edition = var.edition }
}

resource "aws_api_gateway_resource" "http" {
  rest_api_id = aws_api_gateway_rest_api.integrations.id
  parent_id   = aws_api_gateway_rest_api.integrations.root_resource_id
  path_part   = "http"
}

resource "aws_api_gateway_resource" "http_id" {
  rest_api_id = aws_api_gateway_rest_api.integrations.id
  parent_id   = aws_api_gateway_resource.http.id
  path_part   = "{id}"
}

resource "aws_api_gateway_method" "http" {
  rest_api_id        = aws_api_gateway_rest_api.integrations.id
  resource_id        = aws_api_gateway_resource.http_id.id
  http_method        = "GET"
  authorization      = "NONE"
  request_parameters = { "method.request.path.id" = true }
}

resource "aws_api_gateway_integration" "http" {
  rest_api_id             = aws_api_gateway_rest_api.integrations.id
  resource_id             = aws_api_gateway_resource.http_id.id
  http_method             = aws_api_gateway_method.http.http_method
  integration_http_method = "GET"
  type                    = "HTTP"
  uri                     = "http://$${stageVariables.backend}/items/{id}"
  timeout_milliseconds    = local.second ? 10000 : 5000
  request_parameters = {
    "integration.request.path.id"          = "method.request.path.id"
    "integration.request.header.X-Edition" = "'${var.edition}'"
  }
  tls_config {
    insecure_skip_verification = local.second
  }
}

resource "aws_api_gateway_method_response" "http" {
  rest_api_id         = aws_api_gateway_rest_api.integrations.id
  resource_id         = aws_api_gateway_resource.http_id.id
  http_method         = aws_api_gateway_method.http.http_method
  status_code         = "200"
  response_parameters = { "method.response.header.X-From" = true }
}

resource "aws_api_gateway_method_response" "http_missing" {
  rest_api_id = aws_api_gateway_rest_api.integrations.id
  resource_id = aws_api_gateway_resource.http_id.id
  http_method = aws_api_gateway_method.http.http_method
  status_code = "404"
}

resource "aws_api_gateway_integration_response" "http" {
  rest_api_id         = aws_api_gateway_rest_api.integrations.id
  resource_id         = aws_api_gateway_resource.http_id.id
  http_method         = aws_api_gateway_integration.http.http_method
  status_code         = aws_api_gateway_method_response.http.status_code
  response_parameters = { "method.response.header.X-From" = "integration.response.header.Server" }
}

resource "aws_api_gateway_integration_response" "http_missing" {
  rest_api_id        = aws_api_gateway_rest_api.integrations.id
  resource_id        = aws_api_gateway_resource.http_id.id
  http_method        = aws_api_gateway_integration.http.http_method
  status_code        = aws_api_gateway_method_response.http_missing.status_code
  selection_pattern  = "4\\d{2}"
  response_templates = { "application/json" = "{\"missing\": $input.json('$.path')}" }
}

resource "aws_api_gateway_resource" "through" {
  rest_api_id = aws_api_gateway_rest_api.integrations.id
  parent_id   = aws_api_gateway_rest_api.integrations.root_resource_id
  path_part   = "through"
}

resource "aws_api_gateway_resource" "through_proxy" {
  rest_api_id = aws_api_gateway_rest_api.integrations.id
  parent_id   = aws_api_gateway_resource.through.id
  path_part   = "{proxy+}"
}

resource "aws_api_gateway_method" "through" {
  rest_api_id        = aws_api_gateway_rest_api.integrations.id
  resource_id        = aws_api_gateway_resource.through_proxy.id
  http_method        = "ANY"
  authorization      = "NONE"
  request_parameters = { "method.request.path.proxy" = true }
}

resource "aws_api_gateway_integration" "through" {
  rest_api_id             = aws_api_gateway_rest_api.integrations.id
  resource_id             = aws_api_gateway_resource.through_proxy.id
  http_method             = aws_api_gateway_method.through.http_method
  integration_http_method = "ANY"
  type                    = "HTTP_PROXY"
  uri                     = "http://$${stageVariables.backend}/{proxy}"
  request_parameters      = { "integration.request.path.proxy" = "method.request.path.proxy" }
}

resource "aws_api_gateway_resource" "private" {
  rest_api_id = aws_api_gateway_rest_api.integrations.id
  parent_id   = aws_api_gateway_rest_api.integrations.root_resource_id
  path_part   = "private"
}

resource "aws_api_gateway_method" "private" {
  rest_api_id   = aws_api_gateway_rest_api.integrations.id
  resource_id   = aws_api_gateway_resource.private.id
  http_method   = "GET"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "private" {
  rest_api_id             = aws_api_gateway_rest_api.integrations.id
  resource_id             = aws_api_gateway_resource.private.id
  http_method             = aws_api_gateway_method.private.http_method
  integration_http_method = "GET"
  type                    = "HTTP_PROXY"
  uri                     = "http://everything.example.com/private"
  connection_type         = "VPC_LINK"
  connection_id           = aws_api_gateway_vpc_link.private.id
}

# {{{ AWS services

resource "aws_dynamodb_table" "notes" {
  name         = "notes"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "owner"
  range_key    = "id"
  attribute {
    name = "owner"
    type = "S"
  }
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_s3_bucket" "files" {
  bucket        = "integration-files"
  force_destroy = true
}

resource "aws_sqs_queue" "integrations" {
  name = "integrations"
}

resource "aws_iam_role" "integrations" {
  name               = "integrations"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "integrations" {
  name = "integrations"
  role = aws_iam_role.integrations.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = ["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:Query"], Resource = aws_dynamodb_table.notes.arn },
    { Effect = "Allow", Action = ["s3:PutObject", "s3:GetObject"], Resource = "${aws_s3_bucket.files.arn}/*" },
    { Effect = "Allow", Action = "s3:ListBucket", Resource = aws_s3_bucket.files.arn }, # who may list is told what isn't there
    { Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.integrations.arn },
  ] })
}

locals {
  # Each service call: where it is, what it calls, and its templates.
  services = {
    "POST notes" = {
      verb     = "POST", uri = "dynamodb:action/PutItem", parameters = {}
      request  = <<-EOT
        #set($body = $input.path('$'))
        {"TableName": "notes", "Item": {"owner": {"S": "$body.owner"}, "id": {"S": "$context.requestId"}, "text": {"S": "$util.escapeJavaScript($body.text)"}}}
      EOT
      response = "{\"id\": \"$context.requestId\"}"
    }
    "GET notes" = {
      verb     = "POST", uri = "dynamodb:action/Query", parameters = {}
      request  = <<-EOT
        {"TableName": "notes", "KeyConditionExpression": "#o = :o", "ExpressionAttributeNames": {"#o": "owner"},
         "ExpressionAttributeValues": {":o": {"S": "$input.params('owner')"}}}
      EOT
      response = "[#foreach($item in $input.path('$.Items')){\"text\": \"$item.text.S\"}#if($foreach.hasNext),#end#end]"
    }
    "DELETE notes" = { # which the role may not
      verb     = "POST", uri = "dynamodb:action/DeleteItem", parameters = {}
      request  = "{\"TableName\": \"notes\", \"Key\": {\"owner\": {\"S\": \"x\"}, \"id\": {\"S\": \"x\"}}}"
      response = ""
    }
    "POST queue" = {
      verb       = "POST", uri = "sqs:path/000000000000/integrations"
      parameters = { "integration.request.header.Content-Type" = "'application/x-www-form-urlencoded'" }
      request    = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
      response   = "$input.path('$.SendMessageResponse.SendMessageResult.MD5OfMessageBody')"
    }
    "POST whoami" = {
      verb     = "GET", uri = "sts:action/GetCallerIdentity", parameters = {}, caller = true
      request  = ""
      response = "$input.path('$.GetCallerIdentityResponse.GetCallerIdentityResult.Arn')"
    }
    "GET whoami" = {
      verb     = "GET", uri = "sts:action/GetCallerIdentity", parameters = {}
      request  = ""
      response = "$input.path('$.GetCallerIdentityResponse.GetCallerIdentityResult.Arn')"
    }
    "PUT file" = {
      verb       = "PUT", uri = "s3:path/integration-files/{key}"
      parameters = { "integration.request.path.key" = "method.request.querystring.key", "integration.request.header.Content-Type" = "method.request.header.Content-Type" }
      request    = ""
      response   = ""
    }
    "GET file" = {
      verb       = "GET", uri = "integration-files.s3:path/{key}"
      parameters = { "integration.request.path.key" = "method.request.querystring.key" }
      request    = ""
      response   = ""
    }
  }
}

resource "aws_api_gateway_resource" "service" {
  for_each    = toset([for name, _ in local.services : split(" ", name)[1]])
  rest_api_id = aws_api_gateway_rest_api.integrations.id
  parent_id   = aws_api_gateway_rest_api.integrations.root_resource_id
  path_part   = each.key
}

resource "aws_api_gateway_method" "service" {
  for_each           = local.services
  rest_api_id        = aws_api_gateway_rest_api.integrations.id
  resource_id        = aws_api_gateway_resource.service[split(" ", each.key)[1]].id
  http_method        = split(" ", each.key)[0]
  authorization      = try(each.value.caller, false) ? "AWS_IAM" : "NONE"
  request_parameters = { for _, source in each.value.parameters : source => false if startswith(source, "method.") }
}

resource "aws_api_gateway_integration" "service" {
  for_each                = local.services
  rest_api_id             = aws_api_gateway_rest_api.integrations.id
  resource_id             = aws_api_gateway_method.service[each.key].resource_id
  http_method             = aws_api_gateway_method.service[each.key].http_method
  type                    = "AWS"
  integration_http_method = each.value.verb
  uri                     = "arn:aws:apigateway:${data.aws_region.here.name}:${each.value.uri}"
  credentials             = try(each.value.caller, false) ? "arn:aws:iam::*:user/*" : aws_iam_role.integrations.arn
  request_parameters      = each.value.parameters
  request_templates       = each.value.request == "" ? {} : { "application/json" = each.value.request }
  timeout_milliseconds    = local.second ? 20000 : 29000
}

resource "aws_api_gateway_method_response" "service" {
  for_each            = merge({ for name, _ in local.services : "${name} 200" => "200" }, { "DELETE notes 400" = "400", "GET file 404" = "404" })
  rest_api_id         = aws_api_gateway_rest_api.integrations.id
  resource_id         = aws_api_gateway_method.service[trimsuffix(each.key, " ${each.value}")].resource_id
  http_method         = aws_api_gateway_method.service[trimsuffix(each.key, " ${each.value}")].http_method
  status_code         = each.value
  response_parameters = { "method.response.header.Content-Type" = false }
}

resource "aws_api_gateway_integration_response" "service" {
  for_each            = aws_api_gateway_method_response.service
  rest_api_id         = aws_api_gateway_rest_api.integrations.id
  resource_id         = each.value.resource_id
  http_method         = each.value.http_method
  status_code         = each.value.status_code
  selection_pattern   = each.value.status_code == "200" ? null : each.value.status_code
  response_parameters = { "method.response.header.Content-Type" = "integration.response.header.Content-Type" }
  response_templates  = { for name, service in local.services : "application/json" => service.response if "${name} 200" == each.key && service.response != "" }
  depends_on          = [aws_api_gateway_integration.service]
}

# }}}

resource "aws_api_gateway_deployment" "integrations" {
  rest_api_id = aws_api_gateway_rest_api.integrations.id
  depends_on = [
    aws_api_gateway_integration_response.http, aws_api_gateway_integration_response.http_missing,
    aws_api_gateway_integration.through, aws_api_gateway_integration.private,
    aws_api_gateway_integration_response.service, aws_api_gateway_integration.cached,
  ]
  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_stage" "integrations" {
  rest_api_id           = aws_api_gateway_rest_api.integrations.id
  deployment_id         = aws_api_gateway_deployment.integrations.id
  stage_name            = "live"
  client_certificate_id = aws_api_gateway_client_certificate.gateway.id
  cache_cluster_enabled = true
  cache_cluster_size    = local.second ? "1.6" : "0.5"
  variables             = { backend = var.backend }
}

resource "aws_api_gateway_method_settings" "cached" {
  rest_api_id = aws_api_gateway_rest_api.integrations.id
  stage_name  = aws_api_gateway_stage.integrations.stage_name
  method_path = "cached/GET"
  settings {
    caching_enabled                            = true
    cache_ttl_in_seconds                       = local.second ? 60 : 300
    cache_data_encrypted                       = true
    require_authorization_for_cache_control    = !local.second
    unauthorized_cache_control_header_strategy = "SUCCEED_WITHOUT_RESPONSE_HEADER"
  }
}

# A method whose answers are cached, by one of its parameters.

resource "aws_api_gateway_resource" "cached" {
  rest_api_id = aws_api_gateway_rest_api.integrations.id
  parent_id   = aws_api_gateway_rest_api.integrations.root_resource_id
  path_part   = "cached"
}

resource "aws_api_gateway_method" "cached" {
  rest_api_id        = aws_api_gateway_rest_api.integrations.id
  resource_id        = aws_api_gateway_resource.cached.id
  http_method        = "GET"
  authorization      = "NONE"
  request_parameters = { "method.request.querystring.q" = false }
}

resource "aws_api_gateway_integration" "cached" {
  rest_api_id             = aws_api_gateway_rest_api.integrations.id
  resource_id             = aws_api_gateway_resource.cached.id
  http_method             = aws_api_gateway_method.cached.http_method
  integration_http_method = "GET"
  type                    = "HTTP_PROXY"
  uri                     = "http://$${stageVariables.backend}/counted"
  cache_key_parameters    = ["method.request.querystring.q"]
  cache_namespace         = local.second ? "other" : "counted"
}

# A canary beside the same deployment.

resource "aws_api_gateway_stage" "canary" {
  rest_api_id   = aws_api_gateway_rest_api.integrations.id
  deployment_id = aws_api_gateway_deployment.integrations.id
  stage_name    = "canary"
  variables     = { backend = "127.0.0.1:9" }
  canary_settings {
    deployment_id            = aws_api_gateway_deployment.integrations.id
    percent_traffic          = local.second ? 25.5 : 100
    stage_variable_overrides = local.second ? { backend = "127.0.0.1:10", other = "x" } : { backend = var.backend }
    use_stage_cache          = local.second
  }
}

output "integrations" { value = aws_api_gateway_rest_api.integrations.id }

data "aws_api_gateway_vpc_link" "private" {
  name       = aws_api_gateway_vpc_link.private.name
  depends_on = [aws_api_gateway_vpc_link.private]
}

output "vpc_link_found" { value = data.aws_api_gateway_vpc_link.private.id == aws_api_gateway_vpc_link.private.id }

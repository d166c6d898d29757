# An API whose method wants an API key and a body that conforms to a model,
# and the usage plan of the key's owner.

resource "aws_api_gateway_rest_api" "plans" {
  name           = "plans"
  api_key_source = "HEADER"
}

resource "aws_api_gateway_request_validator" "strict" {
  rest_api_id                 = aws_api_gateway_rest_api.plans.id
  name                        = "strict-${var.edition}"
  validate_request_body       = true
  validate_request_parameters = local.second
}

resource "aws_api_gateway_model" "pet" {
  rest_api_id  = aws_api_gateway_rest_api.plans.id
  name         = "Pet"
  description  = "edition ${var.edition}"
  content_type = "application/json"
  schema = jsonencode({
    "$schema"  = "http://json-schema.org/draft-04/schema#"
    type       = "object"
    required   = local.second ? ["name", "age"] : ["name"]
    properties = { name = { type = "string" }, age = { type = "integer", minimum = 0 } }
  })
}

resource "aws_api_gateway_model" "pets" {
  rest_api_id  = aws_api_gateway_rest_api.plans.id
  name         = "Pets"
  content_type = "application/json"
  schema = jsonencode({
    type  = "array"
    items = { "$ref" = "https://apigateway.amazonaws.com/restapis/${aws_api_gateway_rest_api.plans.id}/models/${aws_api_gateway_model.pet.name}" }
  })
}

resource "aws_api_gateway_gateway_response" "bad_body" {
  rest_api_id         = aws_api_gateway_rest_api.plans.id
  response_type       = "BAD_REQUEST_BODY"
  status_code         = local.second ? "422" : "400"
  response_templates  = { "application/json" = "{\"message\":$context.error.messageString,\"why\":\"$context.error.validationErrorString\"}" }
  response_parameters = { "gatewayresponse.header.Access-Control-Allow-Origin" = "'*'" }
}

resource "aws_api_gateway_resource" "pets" {
  rest_api_id = aws_api_gateway_rest_api.plans.id
  parent_id   = aws_api_gateway_rest_api.plans.root_resource_id
  path_part   = "pets"
}

resource "aws_api_gateway_method" "pets" {
  rest_api_id          = aws_api_gateway_rest_api.plans.id
  resource_id          = aws_api_gateway_resource.pets.id
  http_method          = "POST"
  authorization        = "NONE"
  api_key_required     = true
  request_validator_id = aws_api_gateway_request_validator.strict.id
  request_models       = { "application/json" = aws_api_gateway_model.pets.name }
  request_parameters   = { "method.request.querystring.shop" = true }
}

resource "aws_api_gateway_integration" "pets" {
  rest_api_id       = aws_api_gateway_rest_api.plans.id
  resource_id       = aws_api_gateway_resource.pets.id
  http_method       = aws_api_gateway_method.pets.http_method
  type              = "MOCK"
  request_templates = { "application/json" = "{\"statusCode\": 200}" }
}

resource "aws_api_gateway_method_response" "pets" {
  rest_api_id     = aws_api_gateway_rest_api.plans.id
  resource_id     = aws_api_gateway_resource.pets.id
  http_method     = aws_api_gateway_method.pets.http_method
  status_code     = "200"
  response_models = { "application/json" = aws_api_gateway_model.pets.name }
}

resource "aws_api_gateway_integration_response" "pets" {
  rest_api_id        = aws_api_gateway_rest_api.plans.id
  resource_id        = aws_api_gateway_resource.pets.id
  http_method        = aws_api_gateway_method.pets.http_method
  status_code        = aws_api_gateway_method_response.pets.status_code
  response_templates = { "application/json" = "{\"key\": \"$context.identity.apiKeyId\"}" }
  depends_on         = [aws_api_gateway_integration.pets]
}

resource "aws_api_gateway_deployment" "plans" {
  rest_api_id = aws_api_gateway_rest_api.plans.id
  depends_on  = [aws_api_gateway_integration_response.pets]
  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_stage" "plans" {
  rest_api_id   = aws_api_gateway_rest_api.plans.id
  deployment_id = aws_api_gateway_deployment.plans.id
  stage_name    = "live"
}

resource "aws_api_gateway_api_key" "owner" {
  name        = "owner"
  description = "edition ${var.edition}"
  enabled     = true
  customer_id = "customer-${var.edition}"
  value       = "0123456789abcdefghijklmnop"
  tags        = { edition = var.edition }
}

resource "aws_api_gateway_api_key" "generated" {
  name    = local.second ? "renamed" : "generated"
  enabled = local.second
}

resource "aws_api_gateway_usage_plan" "gold" {
  name         = "gold-${var.edition}"
  description  = "edition ${var.edition}"
  product_code = local.second ? "code" : null
  tags         = { edition = var.edition }

  api_stages {
    api_id = aws_api_gateway_rest_api.plans.id
    stage  = aws_api_gateway_stage.plans.stage_name
    throttle {
      path        = "/pets/POST"
      burst_limit = 20
      rate_limit  = local.second ? 30 : 10
    }
  }

  quota_settings {
    limit  = local.second ? 200 : 100
    offset = local.second ? 3 : 2
    period = local.second ? "MONTH" : "WEEK"
  }

  throttle_settings {
    burst_limit = local.second ? 50 : 5
    rate_limit  = 10
  }
}

resource "aws_api_gateway_usage_plan" "bare" {
  name = "bare"
}

resource "aws_api_gateway_usage_plan_key" "gold" {
  key_id        = aws_api_gateway_api_key.owner.id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.gold.id
}

data "aws_api_gateway_api_key" "owner" {
  id = aws_api_gateway_api_key.owner.id
}

data "aws_api_gateway_api_keys" "all" {
  include_values = true
  depends_on     = [aws_api_gateway_api_key.owner, aws_api_gateway_api_key.generated]
}

output "plans" { value = aws_api_gateway_rest_api.plans.id }
output "plans_key" {
  value     = data.aws_api_gateway_api_key.owner.value
  sensitive = true
}
output "plans_keys" { value = tostring(length(data.aws_api_gateway_api_keys.all.items)) }

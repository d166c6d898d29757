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

resource "aws_api_gateway_deployment" "integrations" {
  rest_api_id = aws_api_gateway_rest_api.integrations.id
  depends_on = [
    aws_api_gateway_integration_response.http, aws_api_gateway_integration_response.http_missing,
    aws_api_gateway_integration.through, aws_api_gateway_integration.private,
  ]
  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_stage" "integrations" {
  rest_api_id           = aws_api_gateway_rest_api.integrations.id
  deployment_id         = aws_api_gateway_deployment.integrations.id
  stage_name            = "live"
  client_certificate_id = aws_api_gateway_client_certificate.gateway.id
  variables             = { backend = var.backend }
}

output "integrations" { value = aws_api_gateway_rest_api.integrations.id }

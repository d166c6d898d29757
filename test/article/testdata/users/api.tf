# The API: a deployment a stage, /user/{id}, and the four parts of each method.

locals {
  # Terraform writes $${ for ${, so the alias is chosen by the stage variable.
  function_uri = join("", [
    "arn:aws:apigateway:${var.aws_region}:lambda:path/2015-03-31/functions/",
    "arn:aws:lambda:${var.aws_region}:${var.aws_account_id}:function:",
    "${aws_lambda_function.example.function_name}:$${stageVariables.stage}/invocations",
  ])
}

resource "aws_api_gateway_rest_api" "example" {
  description = "Users."
  name        = "example"
}

resource "aws_api_gateway_deployment" "staging" {
  depends_on        = [aws_api_gateway_integration.get, aws_api_gateway_integration.post]
  rest_api_id       = aws_api_gateway_rest_api.example.id
  stage_description = "staging"
  stage_name        = "staging"
  variables         = { stage = "staging" }
}

resource "aws_api_gateway_deployment" "prod" {
  depends_on        = [aws_api_gateway_integration.get, aws_api_gateway_integration.post]
  rest_api_id       = aws_api_gateway_rest_api.example.id
  stage_description = "production"
  stage_name        = "prod"
  variables         = { stage = "prod" }
}

resource "aws_api_gateway_resource" "user" {
  parent_id   = aws_api_gateway_rest_api.example.root_resource_id
  path_part   = "user"
  rest_api_id = aws_api_gateway_rest_api.example.id
}

resource "aws_api_gateway_resource" "id" {
  parent_id   = aws_api_gateway_resource.user.id
  path_part   = "{id}"
  rest_api_id = aws_api_gateway_rest_api.example.id
}

# {{{ GET /user/{id}

resource "aws_api_gateway_method" "get" {
  authorization = "NONE"
  http_method   = "GET"
  resource_id   = aws_api_gateway_resource.id.id
  rest_api_id   = aws_api_gateway_rest_api.example.id
}

resource "aws_api_gateway_integration" "get" {
  http_method             = aws_api_gateway_method.get.http_method
  integration_http_method = "POST"
  request_templates = {
    "application/json" = <<EOF
{
  "id": "$input.params('id')",
  "stage": "$stageVariables.stage",
  "_method": "GET"
}
EOF
  }
  resource_id = aws_api_gateway_resource.id.id
  rest_api_id = aws_api_gateway_rest_api.example.id
  type        = "AWS"
  uri         = local.function_uri
}

resource "aws_api_gateway_method_response" "get_200" {
  http_method = aws_api_gateway_method.get.http_method
  resource_id = aws_api_gateway_resource.id.id
  rest_api_id = aws_api_gateway_rest_api.example.id
  status_code = "200"
}

resource "aws_api_gateway_method_response" "get_400" {
  http_method = aws_api_gateway_method.get.http_method
  resource_id = aws_api_gateway_resource.id.id
  rest_api_id = aws_api_gateway_rest_api.example.id
  status_code = "400"
}

resource "aws_api_gateway_method_response" "get_500" {
  http_method = aws_api_gateway_method.get.http_method
  resource_id = aws_api_gateway_resource.id.id
  rest_api_id = aws_api_gateway_rest_api.example.id
  status_code = "500"
}

resource "aws_api_gateway_integration_response" "get_200" {
  depends_on  = [aws_api_gateway_integration.get]
  http_method = aws_api_gateway_method.get.http_method
  resource_id = aws_api_gateway_resource.id.id
  rest_api_id = aws_api_gateway_rest_api.example.id
  status_code = aws_api_gateway_method_response.get_200.status_code
}

resource "aws_api_gateway_integration_response" "get_400" {
  depends_on  = [aws_api_gateway_integration.get]
  http_method = aws_api_gateway_method.get.http_method
  resource_id = aws_api_gateway_resource.id.id
  response_templates = {
    "application/json" = <<EOF
{
  "error": "$input.path('$.errorMessage').substring(5)"
}
EOF
  }
  rest_api_id       = aws_api_gateway_rest_api.example.id
  selection_pattern = "400: .+"
  status_code       = aws_api_gateway_method_response.get_400.status_code
}

resource "aws_api_gateway_integration_response" "get_500" {
  depends_on  = [aws_api_gateway_integration.get]
  http_method = aws_api_gateway_method.get.http_method
  resource_id = aws_api_gateway_resource.id.id
  response_templates = {
    "application/json" = <<EOF
{
  "error": "$input.path('$.errorMessage').substring(5)"
}
EOF
  }
  rest_api_id       = aws_api_gateway_rest_api.example.id
  selection_pattern = "500: .+"
  status_code       = aws_api_gateway_method_response.get_500.status_code
}

# }}}

# {{{ POST /user/{id}

resource "aws_api_gateway_method" "post" {
  authorization = "NONE"
  http_method   = "POST"
  resource_id   = aws_api_gateway_resource.id.id
  rest_api_id   = aws_api_gateway_rest_api.example.id
}

resource "aws_api_gateway_integration" "post" {
  http_method             = aws_api_gateway_method.post.http_method
  integration_http_method = "POST"
  request_templates = {
    "application/json" = <<EOF
{
  "id": "$input.params('id')",
  "name": "$input.path('$.name')",
  "stage": "$stageVariables.stage",
  "_method": "POST"
}
EOF
  }
  resource_id = aws_api_gateway_resource.id.id
  rest_api_id = aws_api_gateway_rest_api.example.id
  type        = "AWS"
  uri         = local.function_uri
}

resource "aws_api_gateway_method_response" "post_200" {
  http_method = aws_api_gateway_method.post.http_method
  resource_id = aws_api_gateway_resource.id.id
  rest_api_id = aws_api_gateway_rest_api.example.id
  status_code = "200"
}

resource "aws_api_gateway_method_response" "post_400" {
  http_method = aws_api_gateway_method.post.http_method
  resource_id = aws_api_gateway_resource.id.id
  rest_api_id = aws_api_gateway_rest_api.example.id
  status_code = "400"
}

resource "aws_api_gateway_method_response" "post_500" {
  http_method = aws_api_gateway_method.post.http_method
  resource_id = aws_api_gateway_resource.id.id
  rest_api_id = aws_api_gateway_rest_api.example.id
  status_code = "500"
}

resource "aws_api_gateway_integration_response" "post_200" {
  depends_on  = [aws_api_gateway_integration.post]
  http_method = aws_api_gateway_method.post.http_method
  resource_id = aws_api_gateway_resource.id.id
  rest_api_id = aws_api_gateway_rest_api.example.id
  status_code = aws_api_gateway_method_response.post_200.status_code
}

resource "aws_api_gateway_integration_response" "post_400" {
  depends_on  = [aws_api_gateway_integration.post]
  http_method = aws_api_gateway_method.post.http_method
  resource_id = aws_api_gateway_resource.id.id
  response_templates = {
    "application/json" = <<EOF
{
  "error": "$input.path('$.errorMessage').substring(5)"
}
EOF
  }
  rest_api_id       = aws_api_gateway_rest_api.example.id
  selection_pattern = "400: .+"
  status_code       = aws_api_gateway_method_response.post_400.status_code
}

resource "aws_api_gateway_integration_response" "post_500" {
  depends_on  = [aws_api_gateway_integration.post]
  http_method = aws_api_gateway_method.post.http_method
  resource_id = aws_api_gateway_resource.id.id
  response_templates = {
    "application/json" = <<EOF
{
  "error": "$input.path('$.errorMessage').substring(5)"
}
EOF
  }
  rest_api_id       = aws_api_gateway_rest_api.example.id
  selection_pattern = "500: .+"
  status_code       = aws_api_gateway_method_response.post_500.status_code
}

# }}}

output "api" { value = aws_api_gateway_rest_api.example.id }

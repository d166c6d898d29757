# A form that a browser posts, as JSON for a function: API Gateway hands a
# function no form, so the mapping template form.vtl decodes it.
#
#   curl -d 'name=Ada+Lovelace&note=1%2B1' "$(terraform output -raw url)"
#   curl -d … "$AWS_ENDPOINT_URL/_aws/execute-api/$(terraform output -raw api)/live/" # on butai

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

provider "aws" {}

variable "code" {
  description = "The handler's zip: zip handler.zip main.py"
  default     = "handler.zip"
}

variable "runtime" {
  default = "python3.11"
}

resource "aws_iam_role" "form" {
  name = "form"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_lambda_function" "form" {
  function_name    = "form"
  role             = aws_iam_role.form.arn
  runtime          = var.runtime
  handler          = "main.handler"
  filename         = var.code
  source_code_hash = filebase64sha256(var.code)
}

resource "aws_lambda_permission" "form" {
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = aws_lambda_function.form.function_name
  source_arn    = "${aws_api_gateway_rest_api.form.execution_arn}/*/POST/"
}

resource "aws_api_gateway_rest_api" "form" {
  name = "form"
}

resource "aws_api_gateway_method" "form" {
  rest_api_id   = aws_api_gateway_rest_api.form.id
  resource_id   = aws_api_gateway_rest_api.form.root_resource_id
  http_method   = "POST"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "form" {
  rest_api_id             = aws_api_gateway_rest_api.form.id
  resource_id             = aws_api_gateway_rest_api.form.root_resource_id
  http_method             = aws_api_gateway_method.form.http_method
  type                    = "AWS"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.form.invoke_arn
  passthrough_behavior    = "NEVER" # anything but a form gets 415
  request_templates       = { "application/x-www-form-urlencoded" = file("${path.module}/form.vtl") }
}

resource "aws_api_gateway_method_response" "form" {
  rest_api_id = aws_api_gateway_rest_api.form.id
  resource_id = aws_api_gateway_rest_api.form.root_resource_id
  http_method = aws_api_gateway_method.form.http_method
  status_code = "200"
}

resource "aws_api_gateway_integration_response" "form" {
  rest_api_id = aws_api_gateway_rest_api.form.id
  resource_id = aws_api_gateway_rest_api.form.root_resource_id
  http_method = aws_api_gateway_method.form.http_method
  status_code = aws_api_gateway_method_response.form.status_code
  depends_on  = [aws_api_gateway_integration.form]
}

resource "aws_api_gateway_deployment" "form" {
  rest_api_id = aws_api_gateway_rest_api.form.id
  triggers    = { template = filesha1("${path.module}/form.vtl") }
  depends_on  = [aws_api_gateway_integration_response.form]
  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_stage" "form" {
  rest_api_id   = aws_api_gateway_rest_api.form.id
  deployment_id = aws_api_gateway_deployment.form.id
  stage_name    = "live"
}

output "api" { value = aws_api_gateway_rest_api.form.id }
output "url" { value = aws_api_gateway_stage.form.invoke_url }

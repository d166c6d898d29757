# The function, an alias a stage, and a permission on each alias.

variable "example_prod_function_version" {
  default = "$LATEST" # nothing is published yet
}

resource "aws_lambda_function" "example" {
  description      = "Reads and writes users."
  filename         = var.code
  function_name    = "example"
  handler          = "main.lambda_handler"
  memory_size      = 128
  role             = aws_iam_role.exec.arn
  runtime          = "python2.7"
  source_code_hash = filebase64sha256(var.code)
  timeout          = var.timeout
}

resource "aws_lambda_alias" "staging" {
  depends_on       = [aws_lambda_function.example]
  description      = "staging"
  function_name    = aws_lambda_function.example.function_name
  function_version = "$LATEST"
  name             = "staging"
}

resource "aws_lambda_alias" "prod" {
  depends_on       = [aws_lambda_function.example]
  description      = "production"
  function_name    = aws_lambda_function.example.function_name
  function_version = var.example_prod_function_version
  name             = "prod"
}

resource "aws_lambda_permission" "staging" {
  action        = "lambda:InvokeFunction"
  depends_on    = [aws_lambda_alias.staging]
  function_name = aws_lambda_function.example.function_name
  principal     = "apigateway.amazonaws.com"
  qualifier     = "staging"
  statement_id  = "example_staging_apigateway"
}

resource "aws_lambda_permission" "prod" {
  action        = "lambda:InvokeFunction"
  depends_on    = [aws_lambda_alias.prod]
  function_name = aws_lambda_function.example.function_name
  principal     = "apigateway.amazonaws.com"
  qualifier     = "prod"
  statement_id  = "example_prod_apigateway"
}

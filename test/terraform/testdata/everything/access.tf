# An API that lets callers in by each kind of authorization.

resource "aws_api_gateway_rest_api" "access" {
  name = "access"
}

resource "aws_api_gateway_rest_api_policy" "access" {
  rest_api_id = aws_api_gateway_rest_api.access.id
  policy      = data.aws_iam_policy_document.access.json
}

data "aws_iam_policy_document" "access" {
  statement {
    effect    = "Allow"
    actions   = ["execute-api:Invoke"]
    resources = ["${aws_api_gateway_rest_api.access.execution_arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
  statement {
    effect    = "Deny"
    actions   = ["execute-api:Invoke"]
    resources = ["${aws_api_gateway_rest_api.access.execution_arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "NotIpAddress"
      variable = "aws:SourceIp"
      values   = local.second ? ["127.0.0.0/8", "::1/128"] : ["127.0.0.0/8"]
    }
  }
}

resource "aws_iam_role" "authorizer" {
  name = "authorizer"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "apigateway.amazonaws.com" } }]
  })
}

resource "aws_api_gateway_authorizer" "token" {
  name                             = "token"
  rest_api_id                      = aws_api_gateway_rest_api.access.id
  authorizer_uri                   = aws_lambda_function.everything.invoke_arn
  authorizer_credentials           = aws_iam_role.authorizer.arn
  identity_source                  = local.second ? "method.request.header.Token" : "method.request.header.Authorization"
  identity_validation_expression   = "[a-z]+"
  authorizer_result_ttl_in_seconds = local.second ? 0 : 60
}

resource "aws_api_gateway_authorizer" "request" {
  name            = "request-${var.edition}"
  type            = "REQUEST"
  rest_api_id     = aws_api_gateway_rest_api.access.id
  authorizer_uri  = aws_lambda_function.everything.invoke_arn
  identity_source = "method.request.header.Authorization, context.httpMethod"
}

resource "aws_api_gateway_authorizer" "pool" {
  name          = "pool"
  type          = "COGNITO_USER_POOLS"
  rest_api_id   = aws_api_gateway_rest_api.access.id
  provider_arns = [for id in(local.second ? ["b", "c"] : ["a", "b"]) : "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_${id}"]
}

resource "aws_api_gateway_method" "access" {
  for_each = {
    GET    = { type = "NONE", authorizer = null, scopes = null }
    POST   = { type = "CUSTOM", authorizer = local.second ? aws_api_gateway_authorizer.request.id : aws_api_gateway_authorizer.token.id, scopes = null }
    PUT    = { type = "AWS_IAM", authorizer = null, scopes = null }
    DELETE = { type = "COGNITO_USER_POOLS", authorizer = aws_api_gateway_authorizer.pool.id, scopes = local.second ? ["a/read", "a/write"] : ["a/read"] }
    # Changes its kind in the update.
    PATCH = { type = local.second ? "CUSTOM" : "AWS_IAM", authorizer = local.second ? aws_api_gateway_authorizer.token.id : null, scopes = null }
  }
  rest_api_id          = aws_api_gateway_rest_api.access.id
  resource_id          = aws_api_gateway_rest_api.access.root_resource_id
  http_method          = each.key
  authorization        = each.value.type
  authorizer_id        = each.value.authorizer
  authorization_scopes = each.value.scopes
}

resource "aws_api_gateway_integration" "access" {
  for_each          = aws_api_gateway_method.access
  rest_api_id       = aws_api_gateway_rest_api.access.id
  resource_id       = aws_api_gateway_rest_api.access.root_resource_id
  http_method       = each.value.http_method
  type              = "MOCK"
  request_templates = { "application/json" = jsonencode({ statusCode = 200 }) }
}

resource "aws_api_gateway_deployment" "access" {
  rest_api_id = aws_api_gateway_rest_api.access.id
  depends_on  = [aws_api_gateway_integration.access, aws_api_gateway_rest_api_policy.access]
}

resource "aws_api_gateway_stage" "access" {
  rest_api_id   = aws_api_gateway_rest_api.access.id
  deployment_id = aws_api_gateway_deployment.access.id
  stage_name    = "live"
}

data "aws_api_gateway_authorizers" "all" {
  rest_api_id = aws_api_gateway_rest_api.access.id
  depends_on  = [aws_api_gateway_authorizer.token, aws_api_gateway_authorizer.request, aws_api_gateway_authorizer.pool]
}

data "aws_api_gateway_authorizer" "token" {
  rest_api_id   = aws_api_gateway_rest_api.access.id
  authorizer_id = aws_api_gateway_authorizer.token.id
}

output "access" { value = aws_api_gateway_rest_api.access.id }
output "authorizers" {
  value = "${length(data.aws_api_gateway_authorizers.all.ids)} ${data.aws_api_gateway_authorizer.token.name} ${data.aws_api_gateway_authorizer.token.type}"
}

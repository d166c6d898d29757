# A private API, put together by a document, with a backend behind a load
# balancer, and the private custom domain that leads to it from a VPC endpoint.

resource "aws_apigatewayv2_vpc_link" "private" {
  name               = local.second ? "everything-else" : "everything"
  subnet_ids         = ["subnet-0123abcd"]
  security_group_ids = ["sg-0123abcd"]
  tags               = { kind = "private" }
}

resource "aws_api_gateway_rest_api" "private" {
  name = "private"

  endpoint_configuration {
    types = ["PRIVATE"]
  }
}

resource "aws_api_gateway_rest_api_put" "private" {
  fail_on_warnings = true # the provider fails without it
  rest_api_id      = aws_api_gateway_rest_api.private.id
  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = "private", version = var.edition }
    x-amazon-apigateway-policy = {
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Principal = "*", Action = "execute-api:Invoke", Resource = ["execute-api:/*"] }]
    }
    paths = {
      "/behind" = {
        get = {
          responses = { "200" = { description = "200 response" } }
          x-amazon-apigateway-integration = {
            type                 = "http_proxy"
            httpMethod           = "GET"
            uri                  = "http://balancer.example.com/behind"
            connectionType       = "VPC_LINK"
            connectionId         = aws_apigatewayv2_vpc_link.private.id
            integrationTarget    = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/behind/0123456789abcdef"
            responseTransferMode = "STREAM"
          }
        }
      }
      "/{proxy+}" = {
        get = {
          responses = { "200" = { description = "200 response" } }
          x-amazon-apigateway-integration = {
            type             = "mock"
            requestTemplates = { "application/json" = "{\"statusCode\": 200}" }
            responses        = { default = { statusCode = "200", responseTemplates = { "application/json" = "edition ${var.edition} through $context.identity.vpceId" } } }
          }
        }
      }
    }
  })
}

resource "aws_api_gateway_deployment" "private" {
  rest_api_id = aws_api_gateway_rest_api.private.id
  description = "edition ${var.edition}" # changes in place: the first edition stays deployed
  depends_on  = [aws_api_gateway_rest_api_put.private]
}

resource "aws_api_gateway_stage" "private" {
  rest_api_id   = aws_api_gateway_rest_api.private.id
  deployment_id = aws_api_gateway_deployment.private.id
  stage_name    = "live"
}

resource "aws_api_gateway_domain_name" "private" {
  domain_name     = "private.documents.example"
  certificate_arn = aws_acm_certificate.documents.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Principal = "*", Action = "execute-api:Invoke", Resource = ["execute-api:/*"] },
      { Effect = "Deny", Principal = "*", Action = "execute-api:Invoke", Resource = ["execute-api:/*"], Condition = { StringNotEquals = { "aws:SourceVpce" = "vpce-0123abcd" } } },
    ]
  })
  tags = { edition = var.edition }

  endpoint_configuration {
    types = ["PRIVATE"]
  }
}

resource "aws_api_gateway_base_path_mapping" "private" {
  domain_name    = aws_api_gateway_domain_name.private.domain_name
  domain_name_id = aws_api_gateway_domain_name.private.domain_name_id
  api_id         = aws_api_gateway_rest_api.private.id
  stage_name     = aws_api_gateway_stage.private.stage_name
  base_path      = "v1"
}

resource "aws_api_gateway_domain_name_access_association" "private" {
  domain_name_arn                = aws_api_gateway_domain_name.private.arn
  access_association_source_type = "VPCE"
  access_association_source      = "vpce-0123abcd"
  tags                           = { edition = var.edition }
}

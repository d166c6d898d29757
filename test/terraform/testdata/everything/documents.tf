# APIs that come from OpenAPI documents, their documentation and exports, and
# custom domains whose clients show certificates.

variable "truststore" {}         # authorities of clients, in PEM
variable "domain_certificate" {} # of *.documents.example, in PEM
variable "domain_key" {}

resource "aws_api_gateway_rest_api" "written" {
  name        = "written"
  description = "edition ${var.edition}"
  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = "written", version = var.edition }
    paths = {
      "/hello/{name}" = {
        get = {
          responses = { "200" = { description = "200 response", content = { "application/json" = { schema = { "$ref" = "#/components/schemas/Greeting" } } } } }
          x-amazon-apigateway-integration = {
            type             = "mock"
            requestTemplates = { "application/json" = "{\"statusCode\": 200}" }
            responses = {
              default = {
                statusCode        = "200"
                responseTemplates = { "application/json" = "{\"hello\": \"$input.params('name')\", \"edition\": \"${var.edition}\", \"client\": \"$context.identity.clientCert.subjectDN\"}" }
              }
            }
          }
        }
      }
    }
    components = { schemas = { Greeting = { type = "object", properties = { hello = { type = "string" } } } } }
  })

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_rest_api" "merged" {
  name               = "merged"
  put_rest_api_mode  = "merge"
  binary_media_types = ["image/png"]
  fail_on_warnings   = true
  parameters         = { basepath = "prepend" }
  body = yamlencode({
    swagger  = "2.0"
    info     = { title = "merged", version = var.edition }
    basePath = "/v1"
    paths    = { "/x" = { get = { responses = {}, x-amazon-apigateway-integration = { type = "mock" } } } }
  })
}

resource "aws_api_gateway_documentation_part" "api" {
  rest_api_id = aws_api_gateway_rest_api.written.id
  properties  = jsonencode({ info = { description = "Greets, edition ${var.edition}." } })

  location {
    type = "API"
  }
}

resource "aws_api_gateway_documentation_part" "name" {
  rest_api_id = aws_api_gateway_rest_api.written.id
  properties  = jsonencode({ description = "Who is greeted." })

  location {
    type   = "PATH_PARAMETER"
    path   = "/hello/{name}"
    method = "GET"
    name   = "name"
  }
}

resource "aws_api_gateway_documentation_version" "first" {
  rest_api_id = aws_api_gateway_rest_api.written.id
  version     = "1.0"
  description = "edition ${var.edition}"
  depends_on  = [aws_api_gateway_documentation_part.api, aws_api_gateway_documentation_part.name]
}

resource "aws_api_gateway_deployment" "written" {
  rest_api_id = aws_api_gateway_rest_api.written.id
  description = "edition ${var.edition}" # changes in place: the first edition stays deployed
}

resource "aws_api_gateway_stage" "written" {
  rest_api_id           = aws_api_gateway_rest_api.written.id
  deployment_id         = aws_api_gateway_deployment.written.id
  stage_name            = "live"
  documentation_version = aws_api_gateway_documentation_version.first.version
}

data "aws_api_gateway_export" "written" {
  rest_api_id = aws_api_gateway_stage.written.rest_api_id
  stage_name  = aws_api_gateway_stage.written.stage_name
  export_type = "oas30"
  accepts     = "application/json"
  parameters  = { extensions = "apigateway" }
}

data "aws_api_gateway_resource" "hello" {
  rest_api_id = aws_api_gateway_stage.written.rest_api_id
  path        = "/hello/{name}"
}

resource "aws_s3_bucket" "trust" {
  bucket        = "documents-trust"
  force_destroy = true
}

resource "aws_s3_object" "clients" {
  bucket  = aws_s3_bucket.trust.id
  key     = "clients.pem"
  content = var.truststore
}

resource "aws_acm_certificate" "documents" {
  private_key      = var.domain_key
  certificate_body = var.domain_certificate
}

resource "aws_api_gateway_domain_name" "mutual" {
  domain_name              = "mutual.documents.example"
  regional_certificate_arn = aws_acm_certificate.documents.arn
  security_policy          = "TLS_1_2"
  tags                     = { edition = var.edition }

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  mutual_tls_authentication {
    truststore_uri = "s3://${aws_s3_object.clients.bucket}/${aws_s3_object.clients.key}"
  }
}

resource "aws_api_gateway_domain_name" "edge" {
  domain_name     = "edge.documents.example"
  certificate_arn = aws_acm_certificate.documents.arn
  security_policy = local.second ? "TLS_1_2" : "TLS_1_0"
}

resource "aws_api_gateway_base_path_mapping" "mutual" {
  domain_name = aws_api_gateway_domain_name.mutual.domain_name
  api_id      = aws_api_gateway_rest_api.written.id
  stage_name  = aws_api_gateway_stage.written.stage_name
}

data "aws_api_gateway_domain_name" "mutual" {
  domain_name = aws_api_gateway_base_path_mapping.mutual.domain_name
}

output "export" { value = data.aws_api_gateway_export.written.body }
output "hello" { value = data.aws_api_gateway_resource.hello.id }
output "mutual" { value = data.aws_api_gateway_domain_name.mutual.regional_domain_name }

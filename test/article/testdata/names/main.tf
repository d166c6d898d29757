# The domain: its zone, its certificate, and api1.sample.example, which leads to
# production. It is a project of its own, because a domain outlives its APIs.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {}

variable "api" { default = "" }

resource "aws_route53_zone" "primary" {
  name = "sample.example"
}

resource "aws_route53_record" "root" {
  zone_id = aws_route53_zone.primary.zone_id
  name    = "sample.example"
  type    = "A"
  ttl     = 300
  records = ["192.0.2.1"]
}

resource "aws_acm_certificate" "wildcard" {
  domain_name       = "*.sample.example"
  validation_method = "DNS"
}

locals {
  proof = tolist(aws_acm_certificate.wildcard.domain_validation_options)[0]
}

resource "aws_route53_record" "proof" {
  zone_id = aws_route53_zone.primary.zone_id
  name    = local.proof.resource_record_name
  type    = local.proof.resource_record_type
  ttl     = 60
  records = [local.proof.resource_record_value]
}

resource "aws_acm_certificate_validation" "wildcard" {
  certificate_arn         = aws_acm_certificate.wildcard.arn
  validation_record_fqdns = [aws_route53_record.proof.fqdn]
}

resource "aws_api_gateway_domain_name" "api1" {
  domain_name     = "api1.sample.example"
  certificate_arn = aws_acm_certificate_validation.wildcard.certificate_arn
}

resource "aws_api_gateway_base_path_mapping" "api1" {
  api_id      = var.api
  domain_name = aws_api_gateway_domain_name.api1.domain_name
  stage_name  = "prod"
}

resource "aws_route53_record" "api1" {
  zone_id = aws_route53_zone.primary.zone_id
  name    = aws_api_gateway_domain_name.api1.domain_name
  type    = "A"

  alias {
    name                   = aws_api_gateway_domain_name.api1.cloudfront_domain_name
    zone_id                = aws_api_gateway_domain_name.api1.cloudfront_zone_id
    evaluate_target_health = false
  }
}

# Repositories of images, and what a registry has for all of them.

resource "aws_ecr_repository" "containers" {
  name                 = "containers/app"
  image_tag_mutability = local.second ? "IMMUTABLE" : "MUTABLE"
  force_delete         = true
  tags                 = { edition = var.edition }
}

data "aws_ecr_lifecycle_policy_document" "containers" {
  rule {
    priority    = 1
    description = "Keep the last releases"
    selection {
      tag_status       = "tagged"
      tag_pattern_list = ["v*"]
      count_type       = "imageCountMoreThan"
      count_number     = local.second ? 5 : 10
    }
  }
  rule {
    priority = 2
    selection {
      tag_status   = "untagged"
      count_type   = "sinceImagePushed"
      count_unit   = "days"
      count_number = 14
    }
  }
}

resource "aws_ecr_lifecycle_policy" "containers" {
  repository = aws_ecr_repository.containers.name
  policy     = data.aws_ecr_lifecycle_policy_document.containers.json
}

data "aws_iam_policy_document" "registry" {
  statement {
    actions   = local.second ? ["ecr:ReplicateImage", "ecr:CreateRepository"] : ["ecr:ReplicateImage"]
    resources = ["arn:aws:ecr:us-east-1:000000000000:repository/*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111111111111:root"]
    }
  }
}

resource "aws_ecr_registry_policy" "containers" {
  policy = data.aws_iam_policy_document.registry.json
}

resource "aws_ecr_replication_configuration" "containers" {
  replication_configuration {
    rule {
      destination {
        region      = local.second ? "eu-west-1" : "us-west-2"
        registry_id = "000000000000"
      }
      repository_filter {
        filter      = "containers/"
        filter_type = "PREFIX_MATCH"
      }
    }
  }
}

resource "aws_ecr_registry_scanning_configuration" "containers" {
  scan_type = "BASIC"
  rule {
    scan_frequency = "SCAN_ON_PUSH"
    repository_filter {
      filter      = local.second ? "*" : "containers/*"
      filter_type = "WILDCARD"
    }
  }
}

data "aws_ecr_repository" "containers" { name = aws_ecr_repository.containers.name }
data "aws_ecr_repositories" "all" { depends_on = [aws_ecr_repository.containers] }
data "aws_ecr_authorization_token" "token" {}

output "containers" {
  value = join(" ", [
    data.aws_ecr_repository.containers.repository_url == aws_ecr_repository.containers.repository_url,
    join(",", data.aws_ecr_repositories.all.names),
    data.aws_ecr_authorization_token.token.user_name,
  ])
}

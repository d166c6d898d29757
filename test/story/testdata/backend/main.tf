# State in S3, locked by a file beside it; AWS_ENDPOINT_URL leads the way.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }

  backend "s3" {
    bucket         = "state"
    key            = "env/terraform.tfstate"
    region         = "us-east-1"
    use_lockfile   = true
    encrypt        = true
    use_path_style = true
  }
}

provider "aws" {
  s3_use_path_style = true
}

resource "aws_iam_role" "stored" {
  name = "stored"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_lambda_function" "stored" {
  function_name = "stored"
  s3_bucket     = "state"
  s3_key        = "code.zip"
  handler       = "none"
  runtime       = "provided.al2023"
  role          = aws_iam_role.stored.arn
}

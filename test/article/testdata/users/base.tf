# What stands before the function: the tables and the role. Resource types and
# their order are those of a 2016 article about API Gateway and Lambda; the
# forms that are deprecated now are kept on purpose.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = var.aws_region
}

variable "aws_region" { default = "us-east-1" }
variable "aws_account_id" { default = "000000000000" }
variable "timeout" { default = 5 }
variable "code" {} # path of the handler's zip

# Production's table has the plain name, staging's has the prefix s-.

resource "aws_dynamodb_table" "user" {
  name           = "example_user"
  hash_key       = "id"
  read_capacity  = 1
  write_capacity = 1

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_dynamodb_table" "staging_user" {
  name           = "s-example_user"
  hash_key       = "id"
  read_capacity  = 1
  write_capacity = 1

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_iam_policy_attachment" "AWSLambdaExecute" {
  name       = "AWSLambdaExecute"
  policy_arn = "arn:aws:iam::aws:policy/AWSLambdaExecute"
  roles      = [aws_iam_role.exec.name]
}

resource "aws_iam_role" "exec" {
  name               = "lambda_example_exec"
  assume_role_policy = <<EOF
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "sts:AssumeRole",
      "Principal": { "Service": ["lambda.amazonaws.com"] }
    }
  ]
}
EOF
}

resource "aws_iam_role_policy" "tables" {
  name   = "lambda_example_exec"
  role   = aws_iam_role.exec.id
  policy = <<EOF
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
      "Resource": ["${aws_dynamodb_table.user.arn}", "${aws_dynamodb_table.staging_user.arn}"]
    }
  ]
}
EOF
}

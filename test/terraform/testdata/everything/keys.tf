# Keys of KMS, and what is encrypted with them.

data "aws_caller_identity" "keys" {}

resource "aws_kms_key" "shop" {
  description             = "shop ${var.edition}"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  tags                    = { edition = var.edition }
}

resource "aws_kms_key" "signing" {
  description              = "signs"
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = "ECC_NIST_P256"
  deletion_window_in_days  = 7
}

resource "aws_kms_alias" "shop" {
  name          = "alias/shop"
  target_key_id = aws_kms_key.shop.key_id
}

resource "aws_kms_key_policy" "signing" {
  key_id = aws_kms_key.signing.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account ${var.edition}"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.keys.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_iam_role" "keys" {
  name               = "keys"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_kms_grant" "shop" {
  name              = "shop"
  key_id            = aws_kms_key.shop.key_id
  grantee_principal = aws_iam_role.keys.arn
  operations        = ["Encrypt", "Decrypt"]
  constraints {
    encryption_context_equals = { shop = "one" }
  }
}

resource "aws_kms_ciphertext" "shop" {
  key_id    = aws_kms_key.shop.key_id
  plaintext = "hello"
  context   = { shop = "one" }
}

data "aws_kms_secrets" "shop" {
  secret {
    name    = "hello"
    payload = aws_kms_ciphertext.shop.ciphertext_blob
    context = { shop = "one" }
  }
}

data "aws_kms_alias" "managed" {
  name = "alias/aws/lambda"
}

data "aws_kms_key" "shop" {
  key_id     = "alias/shop"
  depends_on = [aws_kms_alias.shop]
}

resource "aws_dynamodb_table" "encrypted" {
  name         = "everything-encrypted"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
  server_side_encryption {
    enabled = true
  }
}

# One key for what several services keep.
data "aws_region" "keys" {}

data "aws_iam_policy_document" "kept" {
  statement {
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.keys.account_id}:root"]
    }
  }
  statement {
    actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["logs.${data.aws_region.keys.name}.amazonaws.com", "sns.amazonaws.com"]
    }
  }
}

resource "aws_kms_key" "kept" {
  description             = "kept"
  deletion_window_in_days = 7
  policy                  = data.aws_iam_policy_document.kept.json
}

resource "aws_kms_alias" "kept" {
  name          = "alias/kept"
  target_key_id = aws_kms_key.kept.key_id
}

resource "aws_sqs_queue" "kept" {
  name                              = "kept"
  kms_master_key_id                 = var.edition == "one" ? aws_kms_key.kept.arn : "alias/kept"
  kms_data_key_reuse_period_seconds = var.edition == "one" ? 300 : 600
}

resource "aws_sqs_queue" "kept_by_aws" {
  name                    = "kept-by-aws"
  kms_master_key_id       = var.edition == "one" ? "alias/aws/sqs" : null
  sqs_managed_sse_enabled = var.edition == "one" ? null : true
}

resource "aws_sns_topic" "kept" {
  name              = "kept"
  kms_master_key_id = var.edition == "one" ? aws_kms_key.kept.id : "alias/aws/sns"
}

resource "aws_cloudwatch_log_group" "kept" {
  name       = "/kept"
  kms_key_id = aws_kms_key.kept.arn
}

resource "aws_cloudwatch_log_group" "kept_once" {
  name       = "/kept-once"
  kms_key_id = var.edition == "one" ? aws_kms_key.kept.arn : null
}

resource "aws_dynamodb_table" "kept" {
  name         = "everything-kept"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
  server_side_encryption {
    enabled     = true
    kms_key_arn = var.edition == "one" ? aws_kms_key.kept.arn : aws_kms_key.shop.arn
  }
}

resource "aws_lambda_function" "encrypted" {
  function_name = "encrypted"
  role          = aws_iam_role.keys.arn
  runtime       = "python3.11"
  handler       = "main.handler"
  filename      = var.code
  kms_key_arn   = aws_kms_key.shop.arn
  environment {
    variables = { EDITION = var.edition }
  }
}

resource "aws_s3_bucket" "kept" {
  bucket        = "everything-kept"
  force_destroy = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "kept" {
  bucket = aws_s3_bucket.kept.id
  rule {
    bucket_key_enabled = var.edition == "one"
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.edition == "one" ? aws_kms_key.kept.arn : "alias/kept"
    }
  }
}

output "keys" {
  value = "${nonsensitive(data.aws_kms_secrets.shop.plaintext["hello"])} ${data.aws_kms_key.shop.key_usage} ${data.aws_kms_alias.managed.name}"
}

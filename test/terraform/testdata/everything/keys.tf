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

output "keys" {
  value = "${nonsensitive(data.aws_kms_secrets.shop.plaintext["hello"])} ${data.aws_kms_key.shop.key_usage} ${data.aws_kms_alias.managed.name}"
}

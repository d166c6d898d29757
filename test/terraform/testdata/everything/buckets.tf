# What modules set on nearly every bucket.
resource "aws_s3_bucket_public_access_block" "files" {
  bucket                  = aws_s3_bucket.files.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    object_ownership = "BucketOwnerPreferred"
  }
}

resource "aws_s3_bucket_acl" "files" {
  bucket = aws_s3_bucket_ownership_controls.files.bucket
  acl    = "private"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# Who may use it: nobody without TLS, and a distribution may read; and pages of
# one site.
resource "aws_s3_bucket_policy" "files" {
  bucket = aws_s3_bucket.files.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    {
      Sid = "TLSOnly", Effect = "Deny", Principal = "*", Action = "s3:GetObjectTagging", Resource = "${aws_s3_bucket.files.arn}/*"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    },
    {
      Sid = "Distribution", Effect = "Allow", Principal = { Service = "cloudfront.amazonaws.com" }
      Action = "s3:GetObject", Resource = "${aws_s3_bucket.files.arn}/${var.edition}/*"
      Condition = { StringEquals = { "AWS:SourceArn" = "arn:aws:cloudfront::000000000000:distribution/E1EXAMPLE" } }
    },
    {
      Sid = "Partner", Effect = "Allow", Principal = { AWS = ["111122223333", aws_iam_role.integrations.arn] }
      Action = ["s3:ListBucket", "s3:PutObject"], Resource = [aws_s3_bucket.files.arn, "${aws_s3_bucket.files.arn}/*"]
    },
  ] })
}

resource "aws_s3_bucket_cors_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  cors_rule {
    id              = "uploads"
    allowed_headers = ["*"]
    allowed_methods = ["PUT", "POST"]
    allowed_origins = ["https://${var.edition}.example.com"]
    expose_headers  = ["ETag"]
    max_age_seconds = 3000
  }

  cors_rule {
    allowed_methods = ["GET"]
    allowed_origins = ["*"]
  }
}

# What is told of its objects.
resource "aws_lambda_permission" "files" {
  function_name = aws_lambda_function.stored.function_name
  statement_id  = "files"
  action        = "lambda:InvokeFunction"
  principal     = "s3.amazonaws.com"
  source_arn    = aws_s3_bucket.files.arn
}

resource "aws_s3_bucket_notification" "files" {
  bucket      = aws_s3_bucket.files.id
  eventbridge = true

  lambda_function {
    id                  = "uploads"
    lambda_function_arn = aws_lambda_function.stored.arn
    events              = ["s3:ObjectCreated:*"]
    filter_prefix       = "${var.edition}/"
    filter_suffix       = ".json"
  }

  depends_on = [aws_lambda_permission.files]
}

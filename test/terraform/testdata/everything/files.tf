# A bucket with versions, such as those that functions' code is uploaded to.

resource "aws_s3_bucket" "versioned" {
  bucket        = "everything-versioned"
  force_destroy = true
  tags          = { edition = var.edition }
}

resource "aws_s3_bucket_versioning" "versioned" {
  bucket = aws_s3_bucket.versioned.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_object" "versioned" {
  bucket  = aws_s3_bucket_versioning.versioned.bucket
  key     = "functions/f.zip"
  content = var.edition
  tags    = { edition = var.edition }
}

data "aws_s3_object" "versioned" {
  bucket = aws_s3_object.versioned.bucket
  key    = aws_s3_object.versioned.key
}

output "stored_version" { value = data.aws_s3_object.versioned.version_id }

# Secrets, their rotation, and parameters.

resource "aws_secretsmanager_secret" "db" {
  name                    = "everything/db"
  description             = "edition ${var.edition}"
  recovery_window_in_days = 0
  tags                    = { edition = var.edition }
}

resource "aws_secretsmanager_secret_version" "db" {
  secret_id     = aws_secretsmanager_secret.db.id
  secret_string = jsonencode({ user = "ada", password = var.edition })
}

resource "aws_secretsmanager_secret_policy" "db" {
  secret_arn = aws_secretsmanager_secret.db.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "read"
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.events.arn }
      Action    = local.second ? ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"] : ["secretsmanager:GetSecretValue"]
      Resource  = "*"
    }]
  })
}

resource "aws_lambda_permission" "rotation" {
  statement_id  = "rotation"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.stored.function_name
  principal     = "secretsmanager.amazonaws.com"
  source_arn    = aws_secretsmanager_secret.db.arn
}

resource "aws_secretsmanager_secret_rotation" "db" {
  secret_id           = aws_secretsmanager_secret.db.id
  rotation_lambda_arn = aws_lambda_function.stored.arn
  rotate_immediately  = false # its function doesn't rotate

  rotation_rules {
    automatically_after_days = local.second ? 20 : 10
  }

  depends_on = [aws_lambda_permission.rotation, aws_secretsmanager_secret_version.db]
}

data "aws_secretsmanager_random_password" "fresh" {
  password_length = 20
}

resource "aws_ssm_parameter" "host" {
  name            = "/everything/host"
  type            = "String"
  value           = "${var.edition}.example.com"
  allowed_pattern = "[a-z.]+"
  description     = "edition ${var.edition}"
  tags            = { edition = var.edition }
}

resource "aws_ssm_parameter" "password" {
  name  = "/everything/password"
  type  = "SecureString"
  value = "pw-${var.edition}"
}

resource "aws_ssm_parameter" "zones" {
  name  = "zones"
  type  = "StringList"
  tier  = "Advanced"
  value = "a,b"
}

data "aws_secretsmanager_secret_version" "db" {
  secret_id  = aws_secretsmanager_secret.db.id
  depends_on = [aws_secretsmanager_secret_version.db]
}

data "aws_ssm_parameters_by_path" "everything" {
  path       = "/everything"
  depends_on = [aws_ssm_parameter.host, aws_ssm_parameter.password]
}

output "settings" {
  value = nonsensitive(join(" ", concat([data.aws_secretsmanager_secret_version.db.secret_string], data.aws_ssm_parameters_by_path.everything.values)))
}

# Event buses, rules and their targets.

resource "aws_cloudwatch_event_bus" "shop" {
  name        = "shop"
  description = "edition ${var.edition}"
  tags        = { edition = var.edition }
}

resource "aws_cloudwatch_event_bus_policy" "shop" {
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "put"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::111122223333:root" }
      Action    = local.second ? ["events:PutEvents", "events:PutRule"] : ["events:PutEvents"]
      Resource  = aws_cloudwatch_event_bus.shop.arn
    }]
  })
}

resource "aws_cloudwatch_event_permission" "theirs" {
  principal    = local.second ? "444455556666" : "111122223333"
  statement_id = "theirs"
}

resource "aws_cloudwatch_event_rule" "orders" {
  name           = "orders"
  description    = "edition ${var.edition}"
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  tags           = { edition = var.edition }
  event_pattern  = jsonencode({ source = ["shop"], detail = { edition = [var.edition, { prefix = "x" }] } })
}

resource "aws_cloudwatch_event_rule" "nightly" {
  name_prefix         = "nightly-"
  schedule_expression = local.second ? "cron(0 3 ? * MON-FRI *)" : "rate(1 day)"
  state               = local.second ? "DISABLED" : "ENABLED"
}

resource "aws_cloudwatch_event_target" "function" {
  rule           = aws_cloudwatch_event_rule.orders.name
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  target_id      = "function"
  arn            = aws_lambda_function.events.arn

  input_transformer {
    input_paths    = { kind = "$.detail-type", edition = "$.detail.edition" }
    input_template = <<-EOT
      {
        "kind": <kind>,
        "edition": "${var.edition} <edition>"
      }
    EOT
  }

  retry_policy {
    maximum_event_age_in_seconds = local.second ? 120 : 60
    maximum_retry_attempts       = 4
  }

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }
}

resource "aws_lambda_permission" "orders" {
  function_name = aws_lambda_function.events.function_name
  statement_id  = "orders"
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.orders.arn
}

resource "aws_cloudwatch_event_target" "queue" {
  rule           = aws_cloudwatch_event_rule.orders.name
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  arn            = aws_sqs_queue.ordered.arn

  sqs_target {
    message_group_id = var.edition
  }
}

resource "aws_cloudwatch_event_target" "bus" {
  rule     = aws_cloudwatch_event_rule.nightly.name
  arn      = aws_cloudwatch_event_bus.shop.arn
  role_arn = aws_iam_role.forward.arn
}

resource "aws_iam_role" "forward" {
  name = "forward"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "events.amazonaws.com" } }]
  })
}

resource "aws_cloudwatch_event_target" "topic" {
  rule       = aws_cloudwatch_event_rule.nightly.name
  target_id  = "topic"
  arn        = aws_sns_topic.orders.arn
  input_path = "$.detail"
}

resource "aws_cloudwatch_log_group" "told" {
  name = "/aws/events/everything"
}

resource "aws_cloudwatch_log_resource_policy" "told" {
  policy_name = "told"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = local.second ? ["events.amazonaws.com", "delivery.logs.amazonaws.com"] : ["events.amazonaws.com"] }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.told.arn}:*"
    }]
  })
}

resource "aws_cloudwatch_event_target" "log" {
  rule = aws_cloudwatch_event_rule.nightly.name
  arn  = aws_cloudwatch_log_group.told.arn
}

data "aws_cloudwatch_event_bus" "shop" {
  name       = "shop"
  depends_on = [aws_cloudwatch_event_bus.shop]
}

output "bus_found" {
  value = data.aws_cloudwatch_event_bus.shop.arn
}

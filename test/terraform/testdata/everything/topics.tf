# Topics, their policies and subscriptions.

resource "aws_sns_topic" "orders" {
  name         = "orders"
  display_name = local.second ? "New orders" : "Orders"
  tags         = { edition = var.edition }

  delivery_policy = jsonencode({
    http = {
      defaultHealthyRetryPolicy = {
        minDelayTarget     = local.second ? 5 : 10
        maxDelayTarget     = 20
        numRetries         = 4
        numMaxDelayRetries = 0
        numNoDelayRetries  = 0
        numMinDelayRetries = 0
        backoffFunction    = "linear"
      }
      disableSubscriptionOverrides = false
    }
  })
}

resource "aws_sns_topic" "plain" {
  name_prefix = "plain-"
}

resource "aws_sns_topic_policy" "orders" {
  arn = aws_sns_topic.orders.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "publish"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root" }
      Action    = local.second ? ["SNS:Publish", "SNS:Subscribe"] : ["SNS:Publish"]
      Resource  = aws_sns_topic.orders.arn
    }]
  })
}

resource "aws_sns_topic_subscription" "queue" {
  topic_arn            = aws_sns_topic.orders.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.work.arn
  raw_message_delivery = local.second
  filter_policy_scope  = local.second ? "MessageBody" : "MessageAttributes"
  filter_policy        = jsonencode({ kind = local.second ? ["order", "return"] : ["order"] })
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn })
}

resource "aws_sns_topic_subscription" "function" {
  topic_arn = aws_sns_topic.plain.arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.events.arn
}

data "aws_sns_topic" "orders" {
  name       = "orders"
  depends_on = [aws_sns_topic.orders]
}

output "topic_found" {
  value = data.aws_sns_topic.orders.arn
}

# What watches: alarms on metrics and on expressions, metrics of log events,
# functions that get log events, dashboards.

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "everything-errors"
  alarm_description   = "edition ${var.edition}"
  namespace           = "AWS/ApiGateway"
  metric_name         = "5XXError"
  dimensions          = { ApiName = "everything", Stage = "production" }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = local.second ? 3 : 2
  datapoints_to_alarm = 1
  threshold           = local.second ? 5 : 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = ["arn:aws:sns:us-east-1:${data.aws_caller_identity.me.account_id}:alarms"]
  tags                = { edition = var.edition }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name          = "everything-latency"
  namespace           = "AWS/ApiGateway"
  metric_name         = "Latency"
  dimensions          = { ApiName = "everything" }
  extended_statistic  = "p99"
  period              = 60
  evaluation_periods  = 1
  threshold           = local.second ? 2000 : 1000
  comparison_operator = "GreaterThanThreshold"
}

resource "aws_cloudwatch_metric_alarm" "rate" {
  alarm_name          = "everything-rate"
  evaluation_periods  = 1
  threshold           = 10
  comparison_operator = "GreaterThanThreshold"

  metric_query {
    id          = "rate"
    expression  = local.second ? "100 * errors / calls" : "errors / calls * 100"
    label       = "errors in percent"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { errors = "Errors", calls = "Invocations" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/Lambda"
        metric_name = metric_query.value
        period      = 60
        stat        = "Sum"
        dimensions  = { FunctionName = "everything" }
      }
    }
  }
}

resource "aws_cloudwatch_log_stream" "events" {
  name           = "events"
  log_group_name = aws_cloudwatch_log_group.access.name
}

resource "aws_cloudwatch_log_metric_filter" "slow" {
  name           = "everything-slow"
  log_group_name = aws_cloudwatch_log_group.access.name
  pattern        = local.second ? "{ $.latency > 500 }" : "{ $.latency > 1000 }"
  metric_transformation {
    namespace  = "everything"
    name       = "slow"
    value      = "$.latency"
    unit       = "Milliseconds"
    dimensions = { path = "$.path" }
  }
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "everything-errors"
  log_group_name = aws_cloudwatch_log_group.function.name
  pattern        = "ERROR"
  metric_transformation {
    namespace     = "everything"
    name          = "errors"
    value         = "1"
    default_value = local.second ? "0" : null
  }
}

resource "aws_lambda_permission" "logs" {
  statement_id  = "logs"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.everything.function_name
  principal     = "logs.amazonaws.com"
  source_arn    = "${aws_cloudwatch_log_group.access.arn}:*"
}

resource "aws_cloudwatch_log_subscription_filter" "all" {
  name            = "everything"
  log_group_name  = aws_cloudwatch_log_group.access.name
  filter_pattern  = local.second ? "order" : ""
  destination_arn = aws_lambda_function.everything.arn
  depends_on      = [aws_lambda_permission.logs]
}

resource "aws_cloudwatch_dashboard" "overview" {
  dashboard_name = "everything"
  dashboard_body = jsonencode({ widgets = [{ type = "text", x = 0, y = 0, width = 6, height = 3, properties = { markdown = var.edition } }] })
}

# What brings events to functions and takes their results away: queues, streams,
# mappings, destinations, URLs; and layers.

resource "aws_iam_role" "events" {
  name               = "events"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy_attachment" "queue" {
  role       = aws_iam_role.events.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
}

resource "aws_iam_role_policy_attachment" "stream" {
  role       = aws_iam_role.events.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole"
}

resource "aws_iam_role_policy" "send" {
  name = "send"
  role = aws_iam_role.events.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.dead.arn },
      { Effect = "Allow", Action = "events:PutEvents", Resource = aws_cloudwatch_event_bus.shop.arn },
    ]
  })
}

resource "aws_sqs_queue" "dead" {
  name = "dead"
}

resource "aws_sqs_queue" "work" {
  name                       = "work"
  visibility_timeout_seconds = local.second ? 60 : 30
  receive_wait_time_seconds  = 5
  tags                       = { edition = var.edition }

  redrive_policy = jsonencode({
    # Not by reference: the provider watches each new queue for 25 seconds.
    deadLetterTargetArn = "arn:aws:sqs:${data.aws_region.here.name}:${data.aws_caller_identity.me.account_id}:dead"
    maxReceiveCount     = 3
  })
}

resource "aws_sqs_queue" "ordered" {
  name                        = "ordered.fifo"
  fifo_queue                  = true
  content_based_deduplication = true
}

resource "aws_sqs_queue_policy" "work" {
  queue_url = aws_sqs_queue.work.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = data.aws_caller_identity.me.account_id }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.work.arn
    }]
  })
}

resource "aws_dynamodb_table" "streamed" {
  name             = "streamed"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "id"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_lambda_layer_version" "shared" {
  layer_name          = "shared"
  description         = "shared things"
  filename            = var.code
  compatible_runtimes = ["python3.11"]
}

resource "aws_lambda_layer_version_permission" "shared" {
  layer_name     = aws_lambda_layer_version.shared.layer_name
  version_number = aws_lambda_layer_version.shared.version
  statement_id   = "share"
  action         = "lambda:GetLayerVersion"
  principal      = "111122223333"
}

data "aws_lambda_layer_version" "shared" {
  layer_name = aws_lambda_layer_version.shared.layer_name
}

resource "aws_lambda_code_signing_config" "lenient" {
  description = "edition ${var.edition}"
  tags        = { edition = var.edition }

  allowed_publishers {
    signing_profile_version_arns = ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/mine/abcdefgh"]
  }

  policies {
    untrusted_artifact_on_deployment = "Warn"
  }
}

resource "aws_lambda_function" "events" {
  function_name           = "events"
  filename                = local.code
  source_code_hash        = filebase64sha256(local.code)
  handler                 = "main.handler"
  runtime                 = "python3.11"
  role                    = aws_iam_role.events.arn
  layers                  = [data.aws_lambda_layer_version.shared.arn]
  code_signing_config_arn = aws_lambda_code_signing_config.lenient.arn

  dead_letter_config {
    target_arn = aws_sqs_queue.dead.arn
  }

  depends_on = [aws_iam_role_policy.send]
}

resource "aws_lambda_function_event_invoke_config" "events" {
  function_name                = aws_lambda_function.events.function_name
  maximum_event_age_in_seconds = local.second ? 120 : 60
  maximum_retry_attempts       = 0

  destination_config {
    on_success {
      destination = aws_cloudwatch_event_bus.shop.arn
    }
    on_failure {
      destination = aws_sqs_queue.dead.arn
    }
  }
}

resource "aws_lambda_event_source_mapping" "queue" {
  event_source_arn        = aws_sqs_queue.work.arn
  function_name           = aws_lambda_function.events.arn
  batch_size              = local.second ? 5 : 10
  function_response_types = ["ReportBatchItemFailures"]
  tags                    = { edition = var.edition }

  filter_criteria {
    filter {
      pattern = jsonencode({ body = { edition = [var.edition] } })
    }
  }

  depends_on = [aws_iam_role_policy_attachment.queue]
}

resource "aws_lambda_event_source_mapping" "stream" {
  event_source_arn               = aws_dynamodb_table.streamed.stream_arn
  function_name                  = aws_lambda_function.events.arn
  starting_position              = "LATEST"
  maximum_retry_attempts         = local.second ? 3 : 2
  bisect_batch_on_function_error = true

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.dead.arn
    }
  }

  depends_on = [aws_iam_role_policy_attachment.stream]
}

resource "aws_lambda_function_url" "open" {
  function_name      = aws_lambda_function.events.function_name
  authorization_type = "NONE"

  cors {
    allow_origins = ["https://${var.edition}.example.com"]
    allow_methods = ["GET"]
    max_age       = 60
  }
}

resource "aws_lambda_runtime_management_config" "events" {
  function_name     = aws_lambda_function.events.function_name
  update_runtime_on = local.second ? "Auto" : "FunctionUpdate"
}

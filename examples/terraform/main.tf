# npx sealpost serve, then in another shell of the same folder:
#   eval "$(npx sealpost env)"
#   terraform init && terraform apply -var endpoint="$AWS_ENDPOINT_URL" -var ca_file="$AWS_CA_BUNDLE"

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "endpoint" {
  type        = string
  description = "Address of the server: AWS_ENDPOINT_URL of sealpost env"
}

variable "ca_file" {
  type        = string
  description = "Certificate to trust: AWS_CA_BUNDLE of sealpost env"
}

# Region and credentials come from the environment.
provider "aws" {
  custom_ca_bundle            = var.ca_file
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = false
  skip_credentials_validation = false

  endpoints {
    iam = var.endpoint
    kms = var.endpoint
    sns = var.endpoint
    sqs = var.endpoint
    sts = var.endpoint
  }
}

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "key" {
  statement {
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.me.account_id}:root"]
    }
  }
  statement {
    actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }
  }
}

resource "aws_kms_key" "orders" {
  description = "bodies of orders"
  policy      = data.aws_iam_policy_document.key.json
}

resource "aws_sns_topic" "orders" {
  name              = "orders"
  kms_master_key_id = aws_kms_key.orders.arn
}

resource "aws_sqs_queue" "billing" {
  name              = "billing"
  kms_master_key_id = aws_kms_key.orders.arn
}

data "aws_iam_policy_document" "billing" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.billing.arn]
    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.orders.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "billing" {
  queue_url = aws_sqs_queue.billing.url
  policy    = data.aws_iam_policy_document.billing.json
}

resource "aws_sns_topic_subscription" "billing" {
  topic_arn            = aws_sns_topic.orders.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.billing.arn
  raw_message_delivery = true
}

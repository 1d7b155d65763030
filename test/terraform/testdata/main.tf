# What a platform team writes for one application: a user that may invoke the
# application's own inference profile, a role for its workload, and a key.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }

variable "team" { default = "blue" }

variable "hours" { default = 2 }


provider "aws" {
  region                      = "us-east-1"
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_credentials_validation = false # GetCallerIdentity must work

  endpoints {
    sts     = var.endpoint
    iam     = var.endpoint
    bedrock = var.endpoint
  }

  default_tags { tags = { managed-by = "terraform" } }
}

data "aws_caller_identity" "me" {}

locals {
  account = data.aws_caller_identity.me.account_id
  source  = "arn:aws:bedrock:us-east-1:${local.account}:inference-profile/us.amazon.nova-lite-v1:0"
}

resource "aws_bedrock_inference_profile" "chat" {
  name        = "chat"
  description = "Chat of team blue"
  model_source { copy_from = local.source }
  tags = { team = var.team }
}

data "aws_iam_policy_document" "invoke" {
  statement {
    sid       = "Invoke"
    actions   = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
    resources = [aws_bedrock_inference_profile.chat.arn]
  }
  statement {
    actions   = ["bedrock:InvokeModel*"]
    resources = ["arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0"]
    condition {
      test     = "ArnEquals"
      variable = "bedrock:InferenceProfileArn"
      values   = [aws_bedrock_inference_profile.chat.arn]
    }
  }
}

resource "aws_iam_policy" "invoke" {
  name        = "invoke-chat"
  path        = "/apps/"
  description = "Invoke the profile chat"
  policy      = data.aws_iam_policy_document.invoke.json
  tags        = { team = var.team }
}

resource "aws_iam_user" "chat" {
  name                 = "chat"
  path                 = "/apps/"
  permissions_boundary = "arn:aws:iam::aws:policy/AmazonBedrockFullAccess"
  force_destroy        = true
  tags                 = { team = var.team, "cost center" = "12 + 3" }
}

resource "aws_iam_user_policy_attachment" "chat" {
  user       = aws_iam_user.chat.name
  policy_arn = aws_iam_policy.invoke.arn
}

resource "aws_iam_user_policy" "bearer" {
  name = "bearer"
  user = aws_iam_user.chat.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "bedrock:CallWithBearerToken", Resource = "*" }]
  })
}

resource "aws_iam_access_key" "chat" {
  user = aws_iam_user.chat.name
}

resource "aws_iam_service_specific_credential" "chat" {
  service_name = "bedrock.amazonaws.com"
  user_name    = aws_iam_user.chat.name
}

resource "aws_iam_group" "developers" {
  name = "developers"
}

resource "aws_iam_group_membership" "developers" {
  name  = "developers"
  group = aws_iam_group.developers.name
  users = [aws_iam_user.chat.name]
}

resource "aws_iam_group_policy_attachment" "developers" {
  group      = aws_iam_group.developers.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonBedrockReadOnly"
}

resource "aws_iam_group_policy" "developers" {
  name   = "read"
  group  = aws_iam_group.developers.name
  policy = data.aws_iam_policy_document.invoke.json
}

resource "aws_iam_openid_connect_provider" "ci" {
  url            = "https://token.ci.example.com"
  client_id_list = ["sts.amazonaws.com"]
  tags           = { team = var.team }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.ci.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "token.ci.example.com:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "workload" {
  name                 = "workload"
  path                 = "/apps/"
  description          = "The chat's workload"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = var.hours * 3600
  permissions_boundary = aws_iam_policy.invoke.arn
  tags                 = { team = var.team }
}

resource "aws_iam_role_policy_attachment" "workload" {
  role       = aws_iam_role.workload.name
  policy_arn = aws_iam_policy.invoke.arn
}

resource "aws_iam_role_policy" "workload" {
  name   = "inline"
  role   = aws_iam_role.workload.name
  policy = data.aws_iam_policy_document.invoke.json
}

data "aws_iam_policy" "bedrock" {
  arn = "arn:aws:iam::aws:policy/AmazonBedrockFullAccess"
}

output "key" {
  value     = { id = aws_iam_access_key.chat.id, secret = aws_iam_access_key.chat.secret }
  sensitive = true
}

output "profile" {
  value = aws_bedrock_inference_profile.chat.arn
}

#!/bin/bash
# Twelve digits as access key: another account.
set -euo pipefail

AWS_ACCESS_KEY_ID=112233445566 awslocal sqs create-queue --queue-name theirs \
  --query QueueUrl --output text | grep -q '/112233445566/theirs$'
AWS_ACCESS_KEY_ID=112233445566 awslocal sts get-caller-identity --query Account --output text \
  | grep -qx 112233445566
awslocal sts get-caller-identity --query Account --output text | grep -qx 000000000000
if awslocal sqs list-queues --output text | grep theirs; then exit 1; fi
echo "accounts: ok"

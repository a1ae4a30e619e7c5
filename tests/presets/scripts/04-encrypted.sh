#!/bin/bash
# An encrypted queue and an encrypted topic over plain HTTP, as such scripts do it.
set -euo pipefail

KEY_ARN=$(awslocal kms create-key --query KeyMetadata.Arn --output text)
awslocal sqs create-queue --queue-name secrets \
  --attributes KmsMasterKeyId="$KEY_ARN",KmsDataKeyReusePeriodSeconds=300
awslocal sqs send-message --queue-url http://localhost:4566/000000000000/secrets \
  --message-body "for your eyes only"
awslocal sqs receive-message --queue-url http://localhost:4566/000000000000/secrets \
  --query 'Messages[0].Body' --output text | grep -qx 'for your eyes only'

awslocal sns create-topic --name secret-events --attributes KmsMasterKeyId=alias/aws/sns
awslocal sns publish --topic-arn arn:aws:sns:us-east-1:000000000000:secret-events --message shh
echo "encrypted: ok"

#!/bin/sh
# npx sealpost run -- ./publish.sh
set -eu

account=$(aws sts get-caller-identity --query Account --output text)
key=$(aws kms create-key --query KeyMetadata.Arn --output text --policy '{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::'"$account"':root"}, "Action": "kms:*", "Resource": "*"},
    {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
     "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*"}]}')
topic=$(aws sns create-topic --name orders --attributes KmsMasterKeyId="$key" --query TopicArn --output text)

# Version 1 of the AWS CLI needs the address for sqs; version 2 does not mind it.
sqs() { aws sqs --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }

queue_arn=arn:aws:sqs:$AWS_REGION:$account:billing
policy='{\"Version\": \"2012-10-17\", \"Statement\": {\"Effect\": \"Allow\", \"Principal\": {\"Service\": \"sns.amazonaws.com\"},
  \"Action\": \"sqs:SendMessage\", \"Resource\": \"'"$queue_arn"'\",
  \"Condition\": {\"ArnEquals\": {\"aws:SourceArn\": \"'"$topic"'\"}}}}'
policy=$(printf '%s' "$policy" | tr -d '\n')
queue=$(sqs create-queue --queue-name billing --query QueueUrl --output text \
  --attributes '{"KmsMasterKeyId": "'"$key"'", "Policy": "'"$policy"'"}')
aws sns subscribe --topic-arn "$topic" --protocol sqs --notification-endpoint "$queue_arn" \
  --attributes RawMessageDelivery=true >/dev/null

aws sns publish --topic-arn "$topic" --message "two coffees" >/dev/null
sqs receive-message --queue-url "$queue" --wait-time-seconds 5 --query 'Messages[0].Body' --output text

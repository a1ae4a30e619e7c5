#!/bin/bash
# Queues: create, send, receive, delete, dead letters; in the manner of tutorials for awslocal.
set -euo pipefail

echo "########### Creating queues ###########"
awslocal sqs create-queue --queue-name orders-dlq
awslocal sqs create-queue --queue-name orders --attributes '{
  "VisibilityTimeout": "30",
  "RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:orders-dlq\",\"maxReceiveCount\":\"3\"}"
}'

echo "########### Listing queues ###########"
awslocal sqs list-queues

QUEUE_URL=$(awslocal sqs get-queue-url --queue-name orders --output text)
awslocal sqs send-message --queue-url "$QUEUE_URL" --message-body '{"id": 1}' \
  --message-attributes '{"kind": {"DataType": "String", "StringValue": "order"}}'

# The forms of queue URLs that scripts have written down.
for url in \
  http://localhost:4566/000000000000/orders \
  http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/orders \
  http://us-east-1.queue.localhost.localstack.cloud:4566/000000000000/orders \
  http://queue.localhost.localstack.cloud:4566/000000000000/orders \
  http://localhost:4566/queue/us-east-1/000000000000/orders \
  http://localstack:4566/000000000000/orders
do
  awslocal sqs get-queue-attributes --queue-url "$url" --attribute-names ApproximateNumberOfMessages \
    --query Attributes.ApproximateNumberOfMessages --output text | grep -qx 1
done

RECEIPT=$(awslocal sqs receive-message --queue-url "$QUEUE_URL" --message-attribute-names All \
  --query 'Messages[0].ReceiptHandle' --output text)
awslocal sqs delete-message --queue-url "$QUEUE_URL" --receipt-handle "$RECEIPT"
awslocal sqs purge-queue --queue-url "$QUEUE_URL"
echo "sqs: ok"

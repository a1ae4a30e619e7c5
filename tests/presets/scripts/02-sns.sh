#!/bin/bash
# A topic that fans out to two queues.
set -euo pipefail

awslocal sns create-topic --name order-events
for queue in billing shipping; do
  awslocal sqs create-queue --queue-name $queue
  awslocal sns subscribe \
    --topic-arn arn:aws:sns:us-east-1:000000000000:order-events \
    --protocol sqs \
    --notification-endpoint arn:aws:sqs:us-east-1:000000000000:$queue
done
awslocal sns list-subscriptions
awslocal sns publish --topic-arn arn:aws:sns:us-east-1:000000000000:order-events \
  --subject created --message '{"order": 42}'
echo "sns: ok"

"""npx sealpost run -- python3 publish.py

Everything that is special to Sealpost is in the environment; with AWS's it works as well.
"""

import json

import boto3

kms, sns, sqs, sts = (boto3.client(name) for name in ("kms", "sns", "sqs", "sts"))

account = sts.get_caller_identity()["Account"]
key = kms.create_key(
    Policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                },
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
                    "Resource": "*",
                },
            ],
        }
    )
)["KeyMetadata"]["Arn"]

topic = sns.create_topic(Name="orders", Attributes={"KmsMasterKeyId": key})["TopicArn"]
queue = sqs.create_queue(QueueName="billing", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
policy = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    },
}
sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})

sns.publish(TopicArn=topic, Message="two coffees")
print(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"][0]["Body"])

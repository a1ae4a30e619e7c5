// go mod tidy && npx sealpost run -- go run .
//
// Address, certificate, region and credentials come from the environment.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func main() {
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx)
	check(err)
	queues := sqs.NewFromConfig(settings)

	key, err := kms.NewFromConfig(settings).CreateKey(ctx, &kms.CreateKeyInput{})
	check(err)
	queue, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName:  aws.String("orders"),
		Attributes: map[string]string{"KmsMasterKeyId": *key.KeyMetadata.Arn},
	})
	check(err)
	_, err = queues.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl:    queue.QueueUrl,
		MessageBody: aws.String("two coffees"),
	})
	check(err)
	received, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:        queue.QueueUrl,
		WaitTimeSeconds: 5,
	})
	check(err)
	fmt.Println(*received.Messages[0].Body)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

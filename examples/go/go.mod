module example/orders

go 1.22

require (
	github.com/aws/aws-sdk-go-v2 v1.32.0
	github.com/aws/aws-sdk-go-v2/config v1.28.0
	github.com/aws/aws-sdk-go-v2/service/kms v1.37.0
	github.com/aws/aws-sdk-go-v2/service/sqs v1.36.0
)

#!/bin/bash
# A key with an alias; encrypt and decrypt.
set -euo pipefail

KEY_ID=$(awslocal kms create-key --description "my key" --query KeyMetadata.KeyId --output text)
awslocal kms create-alias --alias-name alias/my-key --target-key-id "$KEY_ID"
awslocal kms list-aliases

printf 'hello kms' > plaintext.txt
awslocal kms encrypt --key-id alias/my-key --plaintext fileb://plaintext.txt \
  --query CiphertextBlob --output text | base64 --decode > ciphertext.bin
awslocal kms decrypt --ciphertext-blob fileb://ciphertext.bin --query Plaintext --output text \
  | base64 --decode | grep -qx 'hello kms'
awslocal kms generate-data-key --key-id alias/my-key --key-spec AES_256
awslocal kms describe-key --key-id "arn:aws:kms:us-east-1:000000000000:alias/my-key"
echo "kms: ok"

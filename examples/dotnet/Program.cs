// npx sealpost run -- dotnet run
//
// Address, region and credentials come from the environment; the certificate is trusted here, for
// these clients alone. On Linux SSL_CERT_FILE=$AWS_CA_BUNDLE does it without a line of code.
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Amazon.KeyManagementService;
using Amazon.KeyManagementService.Model;
using Amazon.Runtime;
using Amazon.SQS;
using Amazon.SQS.Model;

var trust = new TrustSealpost(Environment.GetEnvironmentVariable("AWS_CA_BUNDLE")!);
using var kms = new AmazonKeyManagementServiceClient(
    new AmazonKeyManagementServiceConfig { HttpClientFactory = trust });
using var sqs = new AmazonSQSClient(new AmazonSQSConfig { HttpClientFactory = trust });

var key = await kms.CreateKeyAsync(new CreateKeyRequest());
var queue = await sqs.CreateQueueAsync(new CreateQueueRequest
{
    QueueName = "orders",
    Attributes = new() { ["KmsMasterKeyId"] = key.KeyMetadata.Arn },
});
await sqs.SendMessageAsync(queue.QueueUrl, "two coffees");
var received = await sqs.ReceiveMessageAsync(new ReceiveMessageRequest
{
    QueueUrl = queue.QueueUrl,
    WaitTimeSeconds = 5,
});
Console.WriteLine(received.Messages[0].Body);

/// <summary>Trusts one certificate authority, and nothing else.</summary>
internal sealed class TrustSealpost(string caFile) : HttpClientFactory
{
    private readonly X509Certificate2 authority = X509Certificate2.CreateFromPem(File.ReadAllText(caFile));

    public override HttpClient CreateHttpClient(IClientConfig config)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.Add(authority);
        return new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
        });
    }
}

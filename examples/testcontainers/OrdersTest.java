import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.testcontainers.containers.localstack.LocalStackContainer;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.utility.DockerImageName;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sqs.SqsClient;

/** Sealpost in place of LocalStack's container: only the image's name changes. */
@Testcontainers
class OrdersTest {
  // Built from the repository's Containerfile: podman build -t sealpost .
  private static final DockerImageName IMAGE =
      DockerImageName.parse("sealpost:latest").asCompatibleSubstituteFor("localstack/localstack");

  @Container
  private static final LocalStackContainer SEALPOST = new LocalStackContainer(IMAGE)
      .withEnv("SEALPOST_PRESET", "localstack")
      .withEnv("SEALPOST_HOST", "0.0.0.0");

  @Test
  void anOrderComesBack() {
    var credentials = AwsBasicCredentials.create(SEALPOST.getAccessKey(), SEALPOST.getSecretKey());
    try (var sqs = SqsClient.builder()
        .endpointOverride(SEALPOST.getEndpoint())
        .region(Region.of(SEALPOST.getRegion()))
        .credentialsProvider(StaticCredentialsProvider.create(credentials))
        .build()) {
      var queue = sqs.createQueue(request -> request.queueName("orders")).queueUrl();
      sqs.sendMessage(request -> request.queueUrl(queue).messageBody("two coffees"));
      var received = sqs.receiveMessage(request -> request.queueUrl(queue).waitTimeSeconds(5));
      assertEquals("two coffees", received.messages().get(0).body());
    }
  }
}

// npx sealpost run -- sh -c 'JAVA_TOOL_OPTIONS="-Djavax.net.ssl.trustStore=$SEALPOST_DATA/truststore.p12
//   -Djavax.net.ssl.trustStorePassword=changeit" mvn -q compile exec:java'
import java.util.Map;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/** Address, region and credentials come from the environment, trust from the JVM's trust store. */
public class Orders {
  public static void main(String[] args) {
    try (var kms = KmsClient.create(); var sqs = SqsClient.create()) {
      var key = kms.createKey().keyMetadata().arn();
      var queue = sqs.createQueue(request -> request
          .queueName("orders")
          .attributes(Map.of(QueueAttributeName.KMS_MASTER_KEY_ID, key))).queueUrl();
      sqs.sendMessage(request -> request.queueUrl(queue).messageBody("two coffees"));
      var received = sqs.receiveMessage(request -> request.queueUrl(queue).waitTimeSeconds(5));
      System.out.println(received.messages().get(0).body());
    }
  }
}

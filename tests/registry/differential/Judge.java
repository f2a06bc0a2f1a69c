import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

/**
 * Answers, for each line {"reader": text, "writer": text}, what the Apache library says of the
 * pair: both texts as it prints them, and every incompatibility it finds.
 */
public class Judge {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static Schema parse(ObjectNode answer, String side, String text) {
    try {
      Schema schema = new Schema.Parser().parse(text);
      answer.put(side, schema.toString());
      return schema;
    } catch (AvroRuntimeException | IllegalArgumentException refused) {
      answer.put(side + "_invalid", String.valueOf(refused.getMessage()));
      return null;
    }
  }

  private static ObjectNode judge(String readerText, String writerText) {
    ObjectNode answer = JSON.createObjectNode();
    Schema reader = parse(answer, "reader", readerText);
    Schema writer = parse(answer, "writer", writerText);
    if (reader == null || writer == null) {
      return answer;
    }
    ArrayNode found = JSON.createArrayNode();
    SchemaCompatibility.checkReaderWriterCompatibility(reader, writer)
        .getResult()
        .getIncompatibilities()
        .forEach(
            each ->
                found
                    .addArray()
                    .add(each.getType().toString())
                    .add(each.getLocation())
                    .add(each.getMessage()));
    return answer.set("incompatibilities", found);
  }

  public static void main(String[] arguments) throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    BufferedWriter out =
        new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      var pair = JSON.readTree(line);
      ObjectNode answer;
      try {
        answer = judge(pair.get("reader").asText(), pair.get("writer").asText());
      } catch (RuntimeException | StackOverflowError failed) {
        answer = JSON.createObjectNode().put("failed", failed.toString());
      }
      out.write(JSON.writeValueAsString(answer));
      out.newLine();
    }
    out.flush();
  }
}

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;

/**
 * Answers, for each line {"reader": text, "writer": text, "references": [text]}, what the Apache
 * library says: both texts as it prints them, their canonical forms, whether they are valid as new
 * schemas (with strict names and defaults), and every incompatibility. A line may lack the writer.
 */
public class Judge {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static Schema read(String text, JsonNode references, boolean isNew, List<Schema> before) {
    Schema.Parser parser =
        new Schema.Parser(isNew ? NameValidator.STRICT_VALIDATOR : NameValidator.NO_VALIDATION);
    parser.setValidateDefaults(isNew);
    for (JsonNode each : references) {
      before.add(parser.parse(each.asText()));
    }
    return parser.parse(text);
  }

  private static Schema parse(ObjectNode answer, String side, JsonNode line) {
    String text = line.get(side).asText();
    JsonNode references = line.path("references");
    List<Schema> before = new ArrayList<>();
    Schema schema;
    try {
      schema = read(text, references, false, before);
    } catch (RuntimeException refused) {
      answer.put(side + "_invalid", String.valueOf(refused.getMessage()));
      return null;
    }
    answer.put(side, schema.toString(before, false));
    answer.put(side + "_canonical", SchemaNormalization.toParsingForm(schema));
    try {
      read(text, references, true, new ArrayList<>());
    } catch (RuntimeException refused) {
      answer.put(side + "_not_new", String.valueOf(refused.getMessage()));
    }
    return schema;
  }

  private static ObjectNode judge(JsonNode line) {
    ObjectNode answer = JSON.createObjectNode();
    Schema reader = parse(answer, "reader", line);
    Schema writer = line.has("writer") ? parse(answer, "writer", line) : null;
    if (reader == null || writer == null) {
      return answer;
    }
    ArrayNode found = answer.putArray("incompatibilities");
    try {
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
    } catch (AvroRuntimeException thrown) {
      found.addArray().add("AMBIGUOUS_FIELD").add("/").add(thrown.getMessage());
    }
    return answer;
  }

  public static void main(String[] arguments) throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    BufferedWriter out =
        new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      ObjectNode answer;
      try {
        answer = judge(JSON.readTree(line));
      } catch (RuntimeException | StackOverflowError failed) {
        answer = JSON.createObjectNode().put("failed", failed.toString());
      }
      out.write(JSON.writeValueAsString(answer));
      out.newLine();
    }
    out.flush();
  }
}

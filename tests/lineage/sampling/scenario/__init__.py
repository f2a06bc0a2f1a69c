"""Real processes that read and write as services do, in Java and on librdkafka."""

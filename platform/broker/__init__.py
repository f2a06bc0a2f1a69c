"""The only importer of Kafka libraries: administer, consume, produce, observe, embed."""

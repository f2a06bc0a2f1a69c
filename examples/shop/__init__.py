"""A shop of five services that share nothing but the events in Kafka."""

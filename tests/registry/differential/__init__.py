"""Our Avro engine against the Apache Java library, pair by pair."""

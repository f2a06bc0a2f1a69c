"""The registry's part of the product's OpenAPI description, made from one table of operations."""

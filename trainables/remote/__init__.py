"""A run folder whose durable copy is an object store (S3): objects, one writer, a local copy."""

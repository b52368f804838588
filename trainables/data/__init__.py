"""Pictures in: sources, splits, the pre-flight audit and the sealed test."""

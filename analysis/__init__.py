"""Reads run folders and writes reports."""

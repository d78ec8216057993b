"""Pretrained weights: known by name, found, given, or fetched and checked by SHA-256."""

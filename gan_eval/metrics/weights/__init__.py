"""Pretrained weights by name: what is known of them, the cache, downloads, and reading without running code.

Open cache.py first.
"""

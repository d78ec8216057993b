"""Generators in files: ours, other people's, ONNX."""

"""The sections on what people answered, one module for each."""

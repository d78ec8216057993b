"""Training pictures and the batches made of them."""

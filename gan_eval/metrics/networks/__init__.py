"""Networks with pretrained or the user's weights, and what resizes pictures for them. Open extractors.py first."""

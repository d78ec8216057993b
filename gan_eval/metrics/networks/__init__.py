"""Networks with pretrained or the user's weights, and the resizing of pictures for them. Open extractors.py first."""

"""Networks with pretrained or the user's weights, and what brings pictures to them."""

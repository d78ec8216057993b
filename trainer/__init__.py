"""trainer: Pix2Pix training and generation; writes stimulus sets that gan_eval puts before people and metrics."""

"""Generators in files: ours and those of pytorch-CycleGAN-and-pix2pix.

Begin with `model.py`.
"""

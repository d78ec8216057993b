"""The metrics by family: a function for each, and its `Metric` (record.py) with range, unit and source.

Pictures are (H, W, 3) uint8, 0..255; sets are (N, d) features of the real pictures and (M, d) of the generated ones.
Open similarity.py first.
"""

"""The run from stimuli to tables: inputs, one pass over the pictures (measure), sets, differences, tables (runner).

Open runner.py first: `run_metrics` calls them in this order.
"""

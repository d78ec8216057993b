"""The run from stimuli to tables: inputs, files, measures, pictures (with the cache), sets, differences, tables.

Open runner.py first: `run_metrics` calls them in this order.
"""

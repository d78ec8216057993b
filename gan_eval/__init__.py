"""gan_eval: can people tell generated pictures from photographs, and does a metric agree with them?"""

__version__ = "0.1.0"

"""Measurements of the performance budget: each prints a ratio and none asserts a time."""

"""Metrics: one file a metric, each with a function `measure`. This folder is the registry."""

"""Figures: one file a figure, each with a function `draw`. This folder is the registry."""

"""Noises: one file a noise, each with a function `add`. This folder is the registry."""

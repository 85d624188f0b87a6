"""Noises: one file a noise, each with the functions `add` and `sigma`. This folder is the registry."""

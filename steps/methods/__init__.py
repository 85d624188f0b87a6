"""Recovery methods: one file a method, each with a function `recover`. This folder is the registry."""

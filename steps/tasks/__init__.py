"""Forward operators: one file a task, each with a class `Operator`. This folder is the registry."""

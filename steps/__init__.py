"""priorbench: one click command a file, one file a task, a method or a figure."""

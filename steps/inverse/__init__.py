"""The mathematics that methods share: operators, solvers, clipped noise, the measurement, the trace."""

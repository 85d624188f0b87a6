"""The deep image prior: networks, layers, the fit, when to stop."""

"""Can it be trusted: checks of a fit, back-tests, scores of what came later, simulation-based calibration."""

"""Priors stated by quantiles: what they imply, what they change, and the file they are saved to."""

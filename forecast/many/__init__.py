"""Quantiles of very many draws in constant memory: drawn in atoms, counted in fixed bins, merged exactly.

The public function is `forecast.many.job.quantiles_of`.
"""

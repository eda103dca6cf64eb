"""What drives the answer: sensitivity on the posterior and on the prior, disagreements, and what moved between two runs."""

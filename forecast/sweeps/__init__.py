"""Sweeps: many scenarios, views and forms of one run, on many machines, that go on where they were interrupted."""

"""Unmodified third-party clients on the simulator: what they find in a planted estate, and what they do to it."""

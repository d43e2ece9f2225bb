"""Measured, reproducible figures: every number that the README quotes, each with its command."""

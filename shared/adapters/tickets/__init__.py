"""Ticket systems: one module each. The built-in one is `table`."""

"""Judges of ARM templates: each finds another kind of fault, and says where it is."""

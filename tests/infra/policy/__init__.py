"""A small Azure Policy engine, and what our definitions say of good, bad and odd resources."""

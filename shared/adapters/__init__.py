"""Nouns of the outside: the only importers of Azure SDKs. They translate errors once and hand raw wire JSON inward."""

"""Builds the zip that is deployed: our modules, locked wheels without what nobody needs, bytecode; twice the same bytes."""

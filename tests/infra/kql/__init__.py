"""The Kusto language in tests: the official parser says whether a query is one, an evaluator of our own what it finds."""

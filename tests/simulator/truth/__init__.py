"""Whether the simulator tells the truth: against recordings, against the official documents, and without the product."""

"""Verbs: the imperative shell. Each speaks only to ports, so that it runs the same against Azure, fakes and kills."""

"""What must be true of cmkwarden, as sentences: each test's docstring is one."""

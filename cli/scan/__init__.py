"""`cmkwarden scan`: the app's own rules from a laptop, on Azure or on an export. Alone in `cli` it knows the product."""

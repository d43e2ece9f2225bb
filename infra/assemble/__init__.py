"""One module per template: each puts one file of infra/arm together from its parts."""

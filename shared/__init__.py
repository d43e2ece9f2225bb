"""What the remediators stand on, split by purity: core is pure, flow speaks to ports, adapters touch the world."""

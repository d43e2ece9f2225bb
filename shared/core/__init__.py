"""Pure code only: the standard library, no clock, environment, log or network. Import contracts hold this in CI."""

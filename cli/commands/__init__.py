"""The commands that speak to the app, one module for each kind of thing that somebody wants of it."""

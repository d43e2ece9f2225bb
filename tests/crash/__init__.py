"""The app dies at every write it makes, and nothing is lost and nothing done twice."""

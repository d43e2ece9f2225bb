"""What is deployed: templates, roles, policies, alerts. Nothing of it runs in the app."""

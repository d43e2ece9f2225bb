"""Tests of what is deployed: templates, policies, alerts, the package."""

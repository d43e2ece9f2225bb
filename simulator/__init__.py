"""A local Azure: stands in for Resource Manager, Event Grid and the Functions host. Imports nothing of the product."""

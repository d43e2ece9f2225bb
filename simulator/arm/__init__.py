"""The local Azure Resource Manager: sign-in, RBAC, resource providers, Resource Graph, Event Grid, and a stage door.

It answers as recorded traffic does. It knows nothing of the product: a fake that shares the product's beliefs
confirms the product's mistakes.
"""

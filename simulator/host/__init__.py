"""A local stand-in for the Azure Functions host; `python -m simulator.host --config FILE` runs it.

It drives Microsoft's own worker library in a process of its own and follows the public behaviour of the host
and its extensions: HTTP, Event Grid, storage queues and timers. It imports nothing of the product.
"""

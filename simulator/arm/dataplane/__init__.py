"""Key Vault's own front, `https://{vault}.vault.azure.net`: tokens, firewall, rights, keys and what is done with them.

`plane.py` is the door; `operations.py`, `signing.py`, `rotation.py`, `deleted.py` and `transfer.py` hold what is behind it,
`shapes.py` the bodies and `texts.py` the refusals. Secrets and certificates are not imitated.
"""

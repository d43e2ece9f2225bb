"""The HTTP side: who may enter, the route table, and what goes over the wire. No Azure SDK here."""

"""A faithful, misbehaving vendor: documented in docs/sandbox.md, started with `yuliang sandbox`."""

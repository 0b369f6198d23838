"""A believable year of calls, for an empty practice instance."""


class CannotFill(Exception):
    """Nothing was stored; the message says why, and what to do."""

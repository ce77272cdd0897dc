"""Local servers that speak the used part of the vendors' APIs.

They exist for the demo and for tests, say so in every answer (`x-sandbox: true`), and production
never imports them.
"""

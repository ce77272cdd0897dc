"""Local servers, each of which speaks the part of one vendor's API that is used.

They exist for the demo and for tests, say so in every answer (`x-sandbox: true`), and production
never imports them.
"""

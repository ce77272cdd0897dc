"""The engines that are compared, one a file, each run as processes of its own.

Only `nexara` imports the product: the others run in a venv that does not have it.
"""

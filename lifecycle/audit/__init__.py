"""The residual audit: whether anything of somebody is left anywhere, however it is spelled.

Each probe reads one kind of place as it is, by the catalog or the listing and never by the data map, which might have
forgotten one. It first shows that it finds what it plants; a probe that could not is `unknown`, and so is the audit.
"""

"""Embedded servers, local vendors and sample data, for demo and tests; production never imports it."""

"""The processes: dispatcher, worker, scheduler. Thin mains that build things from settings and run them."""

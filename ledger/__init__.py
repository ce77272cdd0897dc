"""The job ledger: every state change of a job, and nothing of any one job."""

"""One job, one file: jobs/recordings/transcribe.py is recordings.transcribe."""

"""The timetable on one screen, and firing a tick exactly once."""

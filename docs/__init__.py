"""What is written about the engine, and the program that writes the part that can be read off the code."""

"""One acceptance run: which scenarios it holds, what became of each, and what it leaves on disk."""

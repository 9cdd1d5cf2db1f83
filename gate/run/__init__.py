"""One acceptance run: which claims it holds, what became of each, and what it leaves on disk."""

"""What the registry holds, and the checks of it; `ecr` reads, `login` and `push` transfer, all else is pure."""

"""What the registry holds, and the checks of it; `ecr` reads, `pull` and `push` transfer, all else is pure."""

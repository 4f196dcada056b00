"""What a sampled chain remembers: each sample remembers for itself, and the winner's memory stays."""

"""The user's callbacks in a fused program: each lane calls its own, between its epochs, with a model of its own."""

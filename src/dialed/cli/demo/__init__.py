"""`dialed demo`: a search on real data, small enough to watch."""

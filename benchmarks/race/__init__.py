"""How soon each tuner finds a good model: the same task, the same machine, one process after the other."""

"""A chief that decides and workers that train, told apart by KerasTuner's environment variables.

| File | Idea |
|---|---|
| `role.py` | what this process is |
| `call.py` | what the chief says to the workers, in the project's folder |
| `chief.py` | the chief of trials that the tuner's own code runs |
| `worker.py` | waits for the chief, trains, and ends with the search |
| `client.py` | what a worker has in the place of the oracle |
| `running.py` | a trial run by the tuner's own code, as an engine of Dialed's |
"""

"""How a search joins a Ray cluster and learns what it can run there.

`connect` starts Ray or joins a cluster; `capacity` says how many trials fit, and follows nodes that
come and go; `waiting` explains what a trial waits for; `ray_log` sends Ray's own output to a file.
"""

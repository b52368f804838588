"""How a search joins a Ray cluster and learns what it can run there.

`connect` starts Ray or joins a cluster; `capacity` says how many trials fit, and follows nodes that
come and go; `waiting` waits until a first trial fits, and says what the autoscaler does; `ray_log`
sends Ray's own output to a file.
"""

"""`python -m search.doctor`: what would keep a search from running, and the cure.

`nodes` examines a machine, `cluster` all machines of a cluster, `storage` the place of the run
folders, and `cluster_file` a YAML file for `ray up`. Each yields `findings`, which are printed in
one way. A new check is a function in one of these that yields findings.
"""

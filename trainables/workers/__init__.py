"""How a trial runs on Ray: the only package of this room that imports Ray.

`ray_trial` is the trainable that Tune starts. It owns a `slot`, a Ray Train run whose workers train
one trial after the other; `slot_worker` is the loop of a worker, `exchange` the actor through which
jobs and reports pass, and `failures` puts into words why a worker died.

From outside: `ray_trial`, and the dataclasses of `slot` that describe what a trial needs. Processes
other than the workers must not import PyTorch: what goes to all of them stays light.
"""

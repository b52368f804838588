"""`python -m analysis.compare RUN...`: a run's interventions judged, or runs side by side.

`interventions` reads a run of `search.run --around` and has `arms` judge each arm; `runs` lays
several runs side by side; `page` makes the page of either.
"""

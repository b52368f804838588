"""`python -m analysis.compare RUN...`: a run's interventions judged, or runs side by side.

`arms` judges the arms of one run (`search.run --around`), `runs` lists several runs, and `page`
makes the page of either.
"""

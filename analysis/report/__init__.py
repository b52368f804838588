"""`python -m analysis.report RUN`: the report on the winner, on the sealed test split.

`reporting` does it from run folder to page: `examine` runs the model, `contents` puts the sections
together, `verdict`, `root_cause` and `summary` draw the conclusions, `provenance` says what the
report is of, and `untested` what was not asked. The questions themselves are in `errors`, `trials`,
`shortcuts` and `heat_maps`.
"""

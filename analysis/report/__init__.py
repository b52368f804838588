"""`python -m analysis.report RUN`: the report on the winner, on the sealed test split.

`reporting` does it from run folder to page: `examine` runs the model, `contents` computes
report.json and `page` renders it. Both go through the rows of `registry`, one a section
(`section`), which are in `answer_sections` and `record_sections`; `sources` is what they are
computed from. `verdict`,
`root_cause` and `summary` draw the conclusions, and `provenance` says what the report is of. The
questions themselves are in `errors`, `trials`, `shortcuts` and `heat_maps`.

A new section is one row, its function and its template.
"""

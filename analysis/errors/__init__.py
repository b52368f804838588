"""Which mistakes the winner makes: the questions that need its predictions only.

Each file answers one question with a dictionary for the report: `classes`, `class_contrasts`,
`pairs` of classes that are confused (with `clusters`), `systematic` errors, `calibration`,
`overfitting`, `label_issues` and the `gallery`. `sections` has what they claim where nothing could
be asked.

A new question is a file here, an entry in `analysis.report.contents` and a template.
"""

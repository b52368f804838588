"""Which mistakes the winner makes: the questions that need its predictions only.

Each file answers one question with a dictionary for the report: `classes`, `class_contrasts`,
`pairs` of classes that are confused (with `clusters`), `systematic` errors, `calibration`,
`overfitting`, `label_issues` and the `gallery`. `sections` lists them for the report, with the
claims of each.

A new question is a file here and an entry in `sections`.
"""

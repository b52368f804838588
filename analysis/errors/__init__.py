"""Which mistakes the winner makes: the questions that need its predictions only.

Each file answers one question with a dictionary for the report: `classes`, `class_contrasts`,
`pairs` of classes that are confused (with `clusters`), `systematic` errors, `calibration`,
`overfitting`, `label_issues` and the `gallery`.

A new question is a file here, a row in `analysis.report.answer_sections` and a template.
"""

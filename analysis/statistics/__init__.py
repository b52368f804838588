"""The statistics of the report: functions of arrays, with no files and no drawing.

`metrics` computes scores from confusion matrices, `intervals` their confidence intervals,
`paired_tests` and `differences` compare two sets of answers on the same pictures,
`quasi_independence` models a table of confusions, and `picture_choice` says which pictures are
shown. `claims` is the form of every claim of the report: estimate, interval, p-value, detectable
effect.

All other packages of this room build on it. Randomness comes from seeds that are passed in.
"""

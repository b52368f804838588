"""Does the winner use shortcuts? One detector a file, on the table of changed pictures.

`background`, `colour`, `sky`, `texture` (with `injection`) and `vehicle_halves` each compare
answers to changed pictures with controls and make claims. How good they are is measured by
`analysis.validate`, on models whose shortcuts are known.

A new detector is a file here, a row in `analysis.report.answer_sections` for its section, and one
in `analysis.validate.detectors`.
"""

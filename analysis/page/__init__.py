"""All drawing: arrays in, SVG and HTML out. No number is computed here.

`plots` has the kinds of figures and `svg` turns them into text that follows the page's colours. The
other files draw the figures of the sections: `rows` (estimates with intervals), `curves`, `pairs`,
`importance`, `interventions` and `pictures`. `figures` has those of the gate, the classes and the
training; `environment` is the Jinja environment with its filters. Templates are in
`analysis/templates`.

The figures of a new section are a function here, named in the section's row (`analysis.report`).
"""

"""All drawing: arrays in, SVG and HTML out. No number is computed here.

`plots` has the kinds of figures, `svg` turns them into text that follows the page's colours, and
the other files draw the figures of the sections: `rows` (estimates with intervals), `curves`,
`pairs`, `importance`, `interventions`, `pictures`. `figures` collects all figures of a report and
renders the page; `environment` is the Jinja environment with its filters. Templates are in
`analysis/templates`.
"""

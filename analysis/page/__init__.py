"""All drawing: arrays in, SVG and HTML out. No number is computed here.

`plots` has the kinds of figures and `svg` turns them into text that follows the page's colours. The
other files draw the figures of the sections: `rows` (estimates with intervals), `curves`, `pairs`,
`importance`, `interventions` and `pictures`. `figures` collects all of them and renders the page;
`environment` is the Jinja environment with its filters. Templates are in `analysis/templates`.

A figure of a new section is drawn in one of these files and entered in `figures`.
"""

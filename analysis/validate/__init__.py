"""`python -m analysis.validate`: how good are the report's detectors?

`planted` makes data with known shortcuts and trains models on them, `bench` runs the `detectors`,
and `scores` counts hits and false alarms, with intervals, and reads the recorded table that the
report shows (`analysis/assets/detectors.json`).
"""

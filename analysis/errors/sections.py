"""What the sections on errors claim where nothing could be asked."""

from analysis.errors import calibration, label_issues, overfitting, systematic

CLAIMS = (systematic.CLAIM, label_issues.CLAIM, calibration.CLAIM, overfitting.CLAIM)

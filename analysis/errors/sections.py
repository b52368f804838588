"""What the sections on errors claim where nothing could be asked."""

from analysis.errors import calibration, label_issues, overfitting, systematic

CLAIMS = (  # claim, rule, control and section, of all classes alike
    (systematic.CLAIM, systematic.RULE, systematic.CONTROL, systematic.SECTION),
    (label_issues.CLAIM, label_issues.RULE, label_issues.CONTROL, label_issues.SECTION),
    (calibration.CLAIM, calibration.RULE, calibration.CONTROL, calibration.SECTION),
    (overfitting.CLAIM, overfitting.RULE, overfitting.CONTROL, overfitting.SECTION),
)

"""Names of the synthetic pictures: grounds, colours, textures, body plans. Pure data."""

# Classes that share a table of measures, so that a shape half-way between two of them exists.
BODY_PLANS = (("cat", "deer", "dog", "horse"), ("automobile", "truck"))

GROUNDS = ("forest", "grass", "indoor", "road", "sand", "sky", "water")
TEXTURES = ("plain", "patches", "spots", "stripes")
CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")

# RGB in 0..1
COLOURS: dict[str, tuple[float, float, float]] = {
    "black": (0.13, 0.12, 0.13),
    "blue": (0.16, 0.32, 0.70),
    "brown": (0.40, 0.26, 0.16),
    "chestnut": (0.52, 0.27, 0.14),
    "cream": (0.87, 0.78, 0.62),
    "ginger": (0.80, 0.48, 0.20),
    "green": (0.24, 0.52, 0.20),
    "grey": (0.50, 0.50, 0.50),
    "navy": (0.12, 0.17, 0.34),
    "olive": (0.43, 0.45, 0.20),
    "orange": (0.90, 0.45, 0.10),
    "purple": (0.50, 0.22, 0.62),
    "red": (0.75, 0.13, 0.12),
    "silver": (0.72, 0.74, 0.77),
    "tan": (0.68, 0.51, 0.33),
    "teal": (0.12, 0.48, 0.50),
    "white": (0.93, 0.93, 0.91),
    "yellow": (0.90, 0.77, 0.16),
}

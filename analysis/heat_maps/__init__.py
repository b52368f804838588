"""Where the winner looks: attribution maps, and checks of whether they can be believed.

`maps` computes them, `checks` tests them (a model with random weights, the part of a map that lies
on the object), `explain` runs both on chosen pictures, `section` makes the report's section, and
`evidence` the pictures beside each claim.
"""

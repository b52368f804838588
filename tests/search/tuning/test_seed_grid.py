"""One grid for a confirmation and for interventions."""

from search.tuning.seed_grid import SeedGrid

GRID = SeedGrid(("a", "b", "c"), (1000, 1001))


def test_one_seed_follows_the_other_and_each_meets_every_configuration():
    cells = GRID.cells()
    assert list(cells) == list(range(len(GRID))) == list(range(6))
    assert list(cells.values())[:4] == [("a", 1000), ("b", 1000), ("c", 1000), ("a", 1001)]


def test_a_number_is_found_by_configuration_and_seed():
    numbers = [GRID.number(row, column) for column in range(2) for row in range(3)]
    assert numbers == list(GRID.cells())
    assert GRID.cells()[GRID.number(2, 1)] == ("c", 1001)

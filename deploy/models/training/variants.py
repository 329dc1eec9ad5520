"""What is trained: the recipes and feature parameters of each bundle."""

from dataclasses import dataclass

from trainer import Recipe


@dataclass(frozen=True)
class Variant:
    name: str
    version: str
    recipe: Recipe
    features: dict[str, object]

    def features_toml(self) -> str:
        return "".join(f"{key} = {value}\n" for key, value in self.features.items())


def features(rows: int) -> dict[str, object]:
    return {
        "preprocessing": 1,
        "rows": rows,
        "word_max": 2,
        "char_orders": [4, 5],
        "dense_orders": [1, 3],
        "window_chars": 320,
        "overlap_chars": 64,
        "max_windows": 64,
    }


def recipe(rows: int, members: int) -> Recipe:
    """The recipe chosen on dev; members of 8 columns did as well as one network of 32 and vary less with the seed."""
    return Recipe(
        rows=rows,
        members=members,
        width=8,
        hidden=16,
        epochs=10,
        learning_rate=0.05,
        feature_dropout=0.5,
        table_rate=15.0,
        table_decay=5e-6,
    )


SCREEN_ROWS = 1 << 17
LITE_ROWS = 1 << 14

VARIANTS = {
    "screen": Variant(
        name="screen",
        version="1.0.0",
        recipe=recipe(SCREEN_ROWS, members=4),
        features=features(SCREEN_ROWS),
    ),
    "screen-lite": Variant(
        name="screen-lite",
        version="1.0.0",
        recipe=recipe(LITE_ROWS, members=2),
        features=features(LITE_ROWS),
    ),
}

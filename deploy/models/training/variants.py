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


SCREEN_ROWS = 1 << 17
LITE_ROWS = 1 << 14

VARIANTS = {
    "screen": Variant(
        name="screen",
        version="1.0.0",
        recipe=Recipe(rows=SCREEN_ROWS, width=32, hidden=16, epochs=8, learning_rate=0.05, feature_dropout=0.5, table_rate=15.0, table_decay=8e-6),
        features=features(SCREEN_ROWS),
    ),
    "screen-lite": Variant(
        name="screen-lite",
        version="1.0.0",
        recipe=Recipe(rows=LITE_ROWS, width=16, hidden=16, epochs=8, learning_rate=0.05, feature_dropout=0.5, table_rate=15.0, table_decay=8e-6),
        features=features(LITE_ROWS),
    ),
}

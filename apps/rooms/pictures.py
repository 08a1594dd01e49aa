"""Pictures of players who have none: five by five squares, the left half mirrored, drawn of their name. Pure."""

import hashlib
from xml.sax.saxutils import quoteattr

SIDE = 5
CELL = 20


def avatar(name: str) -> str:
    """Return an SVG that is the same for a name every time."""
    seed = hashlib.sha256(name.encode()).digest()
    hue = (seed[0] << 8 | seed[1]) % 360
    squares = []
    for row in range(SIDE):
        for column in range((SIDE + 1) // 2):
            if seed[2 + row * 3 + column] % 2:
                places = {column, SIDE - 1 - column}
                squares += [f'<rect x="{x * CELL}" y="{row * CELL}" width="{CELL}" height="{CELL}"/>' for x in places]
    size = SIDE * CELL
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" aria-label={quoteattr(name)}>'
        f'<rect width="{size}" height="{size}" fill="hsl({hue} 45% 94%)"/>'
        f'<g fill="hsl({hue} 60% 45%)">{"".join(sorted(squares))}</g></svg>'
    )

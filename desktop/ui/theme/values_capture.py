"""What the screenshot tool draws with: the pens it offers and its measures, in logical pixels. A picture keeps them, so they follow no palette."""

PENS = ("#e5372b", "#f5a623", "#2bb673", "#2f6bde", "#ffffff", "#1b2430")
WIDTHS = (2, 4, 8)
TEXT_SIZES = (16, 22, 34)
NUMBER_RADII = (11, 14, 19)
MOSAIC_BLOCK = 12
SHADE = "#80000000"
EDGE = "#3b82f6"
HANDLE = 8
LEAST_REGION = 4
ON_LIGHT_PEN = "#1b2430"
ON_DARK_PEN = "#ffffff"

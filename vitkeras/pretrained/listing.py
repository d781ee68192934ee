"""The table of presets."""

from vitkeras.pretrained import catalogue, places


def list_presets():
    """Print all that can be asked for by name. Returns the exit code."""
    rows = [
        (
            preset.name,
            preset.family,
            f"{preset.parameters:,}" if preset.parameters else "?",
            f"{preset.side} x {preset.side}" if preset.side else "?",
            places.is_here(preset),
        )
        for preset in catalogue.presets()
    ]
    known = {row[0] for row in rows}
    rows += [(name, "?", "?", "?", "yes") for name in places.own_names() if name not in known]
    heads = ("name", "family", "parameters", "input", "here")
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(5)]
    for row in (heads, *rows):
        cells = [
            cell.rjust(width) if column in (2, 3) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    print(
        "\nThe beginning of a name does where it is clear: deit_tiny. Parameters are KerasHub's, of the backbone;\n"
        "? is what neither name nor list tells. Those with 21k were trained on ImageNet-21k, and have no head for\n"
        "ImageNet's 1,000 names."
    )
    return 0

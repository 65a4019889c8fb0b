"""Pictures of the report as SVG: axes, typesetting, and what each of them shows."""

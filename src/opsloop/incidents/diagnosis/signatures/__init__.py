"""Known causes: one YAML file per family, each entry with lines that it fits; `known` reads them."""

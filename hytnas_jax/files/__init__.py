"""Files that are whole or not there, and what people have saved: encodings, tables, YAML."""

"""A run made into files for others: pictures, tables, a report, and one zip that opens on another machine."""

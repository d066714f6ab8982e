#!/usr/bin/env python3
"""Runs the queries of docs/results.md on the results of the sample texts; wants
the program's path, and duckdb, pandas and pyarrow installed."""

import json, os, re, subprocess, sys, tempfile
from pathlib import Path

import duckdb
import pandas

program = Path(sys.argv[1]).resolve()
root = Path(__file__).resolve().parent.parent
page = (root / "docs/results.md").read_text()
of_sources, of_places = re.findall(r"```sql\n(.*?)```", page, re.S)
(python,) = re.findall(r"```python\n(.*?)```", page, re.S)
samples = str(root / "tests/samples/articles.jsonl")

os.chdir(tempfile.mkdtemp())
scan = [program, "scan", "-q", samples, str(root / "seeds"), "--out", "results"]
subprocess.run(scan, check=True, stdout=subprocess.DEVNULL)
rows = duckdb.sql(of_sources).fetchall()
assert ("Weekly Gazette", 3) in [row[:2] for row in rows], rows
assert all(0 <= row[2] <= 1 for row in rows), rows
places = duckdb.sql(of_places).fetchall()
assert len(places) == 10 and all(0 < row[4] <= 1 for row in places), places
rows = {name: [json.loads(line) for line in open(f"results/{name}.jsonl")] for name in ("documents", "families", "occurrences", "spans")}
subprocess.run([*scan, "--output-format", "parquet"], check=True, stdout=subprocess.DEVNULL)
scope = {}
exec(python, scope)
letters = scope["shared"]["letters"].sum()
assert letters["Weekly Gazette", "Weekly Gazette"] > 100, letters
for name, expected in rows.items():
    parquet = pandas.read_parquet(f"results/{name}.parquet")
    assert list(parquet.columns) == list(expected[0]), name
    for column in parquet.columns:
        for found, row in zip(parquet[column], expected, strict=True):
            assert found == row[column] or (pandas.isna(found) and row[column] is None), (name, column, found)

# The program writes what these tools read, and a cleaned table too.
subprocess.run([program, "scan", "-q", root / "tests/samples/articles.parquet", "--out", "again"], check=True,
               stdout=subprocess.DEVNULL)
subprocess.run([program, "clean", "-q", "again", "--drop", "boilerplate", "--near-duplicates", "annotate", "--out",
                "cleaned"], check=True)
(path,) = Path("cleaned").rglob("*.parquet")
cleaned = pandas.read_parquet(path)
before = pandas.read_parquet(root / "tests/samples/articles.parquet")
assert list(cleaned["id"]) == list(before["id"]) and list(cleaned["date"]) == list(before["date"])
assert not cleaned["text"].str.contains("Reprinted").any() and before["text"].str.contains("Reprinted").all()
assert "twicetold_originality" in cleaned.columns
print("the queries and tables are as documented")

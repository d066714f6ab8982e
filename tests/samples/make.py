#!/usr/bin/env python3
"""Writes the samples in this directory: one collection in many formats, each
made by the tool that people make it with. Needs pandas, pyarrow, warcio, and
the programs zstd, bzip2, xz, zip and tar. The tests read what is committed."""

import gzip, io, json, os, subprocess
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

os.chdir(Path(__file__).parent)
NOTICE = "Reprinted by kind permission of the editors of the Weekly Gazette of Springfield."
BODIES = [
    "The old mill by the river burned down on Monday night, and the whole town came out to see the flames.\n\n"
    "Nobody was hurt, said the fire chief, though the miller lost everything he owned: \"All of it, gone\", he said.",
    "A new bridge was opened by the mayor on Tuesday; it had been planned for thirty years, and cost twice the estimate.\n\n"
    "The café at its foot, called „Zum Brückenwirt“, expects a busy summer, and has hired four more waiters.",
    "Wheat prices rose again this week, traders said, as rain kept farmers off their fields from the coast to the hills.\n\n"
    "Bakers, who met on Thursday; warned of dearer bread = \"before Christmas\", and nobody contradicted them.",
]
ROWS = [
    {"id": f"gazette-{at}", "text": f"{body}\n\n{NOTICE}", "source": "Weekly Gazette", "date": f"2020-01-0{at}"}
    for at, body in enumerate(BODIES, 1)
]

lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
Path("articles.jsonl").write_text(lines)
first, rest = lines.split("\n", 1)
with open("articles.jsonl.gz", "wb") as out:  # two members
    for part in (first + "\n", rest):
        out.write(gzip.compress(part.encode(), mtime=0))
for tool, end in (("zstd", "zst"), ("bzip2", "bz2"), ("xz", "xz")):
    packed = subprocess.run([tool, "-c", "articles.jsonl"], stdout=subprocess.PIPE, check=True).stdout
    Path(f"articles.jsonl.{end}").write_bytes(packed)
Path("articles.json").write_text(json.dumps(ROWS, indent=1))

frame = pd.DataFrame(ROWS)
frame.to_csv("articles.csv", index=False)
frame.to_csv("articles.tsv", index=False, sep="\t")
frame.to_csv("latin.csv", index=False, sep=";", encoding="windows-1252")
dated = frame.assign(date=pd.to_datetime(frame["date"]).dt.date)
dated.to_parquet("articles.parquet", index=False)
nested = pa.table({
    "doc": [{"text": row["text"], "lang": "en"} for row in ROWS],
    "meta": [{"id": row["id"], "n": 1} for row in ROWS],
    "publisher": pa.array(["Weekly Gazette"] * 3).dictionary_encode(),
    "published": pa.array([row["date"] for row in ROWS]),
})
pq.write_table(nested, "nested.parquet", compression="zstd")
feather.write_feather(dated, "articles.feather")
with ipc.new_stream("articles.arrows", pa.Table.from_pandas(frame).schema) as out:
    out.write_table(pa.Table.from_pandas(frame))


def page(row):
    paragraphs = "".join(f"<p>{part}</p>\n" for part in row["text"].split("\n\n"))
    return (
        f"<!doctype html>\n<html><head><title>{row['id']}</title><meta charset=\"utf-8\">"
        f"<meta property=\"article:published_time\" content=\"{row['date']}\"></head>\n<body>"
        f"<nav><a href=\"/\">Home</a> <a href=\"/news\">News</a></nav>\n<article>\n{paragraphs}</article></body></html>\n"
    )


def address(row):
    return f"https://www.gazette.example/{row['id']}"


warc_headers = {"WARC-Date": "2020-02-01T00:00:00Z", "WARC-Record-ID": "<urn:uuid:00000000-0000-0000-0000-000000000000>"}
with open("pages.warc.gz", "wb") as out:
    writer = WARCWriter(out, gzip=True)
    writer.write_record(writer.create_warcinfo_record("pages.warc.gz", {"software": "warcio"}))
    for row in ROWS:
        http = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
        writer.write_record(writer.create_warc_record(
            address(row), "response", payload=io.BytesIO(page(row).encode()), http_headers=http,
            warc_headers_dict=dict(warc_headers)))
with open("pages.wet", "wb") as out:
    writer = WARCWriter(out, gzip=False)
    for row in ROWS:
        writer.write_record(writer.create_warc_record(
            address(row), "conversion", payload=io.BytesIO(row["text"].encode()), warc_content_type="text/plain",
            warc_headers_dict=dict(warc_headers)))

Path("pages").mkdir(exist_ok=True)
Path("texts").mkdir(exist_ok=True)
for row in ROWS:
    Path(f"pages/{row['id']}.html").write_text(page(row))
    Path(f"texts/{row['id']}.txt").write_text(row["text"])
Path("wide.txt").write_bytes(ROWS[0]["text"].encode("utf-16"))
for name in ("texts.zip", "texts.tar.gz"):
    Path(name).unlink(missing_ok=True)
subprocess.run(["zip", "-qrX", "texts.zip", "texts"], check=True)
subprocess.run(["tar", "--owner=0", "--group=0", "--mtime=2020-01-01", "-czf", "texts.tar.gz", "texts"], check=True)

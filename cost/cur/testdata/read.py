"""Opens a delivery with readers that are not ours and tells what they see.

read.py FOLDER writes JSON: for each Parquet file its columns and their types as
Arrow names them, and what DuckDB adds up over Parquet and CSV files.
"""
import glob
import json
import sys

import duckdb
import pyarrow.parquet as pq

folder = sys.argv[1]
seen = {"columns": {}, "rows": 0}
for name in sorted(glob.glob(folder + "/**/*.parquet", recursive=True)):
    file = pq.ParquetFile(name)
    seen["rows"] += file.metadata.num_rows
    seen["codec"] = file.metadata.row_group(0).column(0).compression
    table = file.read()
    table.validate(full=True)
    for field in table.schema:
        seen["columns"][field.name] = str(field.type)

parquet = f"read_parquet('{folder}/**/*.parquet', hive_partitioning=false)"
seen["by_project"] = {
    (row[0] or ""): [row[1], row[2]]
    for row in duckdb.sql(
        f"""SELECT resource_tags['user_project'], round(sum(line_item_unblended_cost), 9)::VARCHAR, count(*)
            FROM {parquet} GROUP BY 1 ORDER BY 1"""
    ).fetchall()
}
seen["hours"] = duckdb.sql(f"SELECT count(DISTINCT line_item_usage_start_date)::INT FROM {parquet}").fetchall()[0][0]
seen["csv_cost"] = duckdb.sql(
    f"""SELECT sum(line_item_unblended_cost)::VARCHAR
        FROM read_csv('{folder}/**/*.csv.gz', types={{'line_item_unblended_cost': 'DECIMAL(38,12)'}})"""
).fetchall()[0][0]
json.dump(seen, sys.stdout)
